# Makes .venv anew with the Python that $1 names, or says what to do when that Python cannot.
python=${1:-python3}

if ! command -v "$python" >/dev/null 2>&1; then
    echo "There is no command '$python': install Python 3.11 or later, or name one, as in: make serve PYTHON=python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "'$python' is $("$python" --version 2>&1), and ZypherAI needs 3.11 or later: install one and name it, as in: make serve PYTHON=python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "'$python' cannot make environments: install its venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi

exec "$python" -m venv --clear .venv
