# Writes the lock files: every version pinned, for every platform, with its hashes; no address of any index.
# Each file is whole, and the smaller ones agree with the largest.
set -eu
cd "$(dirname "$0")"

pin() {
    uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
        --no-annotate --no-header --no-emit-index-url --no-emit-find-links "$@"
}

pin ../pyproject.toml --extra examples --extra redis --group ../pyproject.toml:dev ${UPGRADE:+--upgrade} --output-file dev.txt
pin ../pyproject.toml --extra examples --constraint dev.txt ${UPGRADE:+--upgrade} --output-file examples.txt
pin ../pyproject.toml --constraint dev.txt ${UPGRADE:+--upgrade} --output-file serve.txt
pin ../pyproject.toml --extra redis --constraint dev.txt ${UPGRADE:+--upgrade} --output-file redis.txt
pin --group ../pyproject.toml:image --constraint dev.txt ${UPGRADE:+--upgrade} --output-file image.txt
