"""The usual mistakes on the command line: one sentence that says what to do, and exit code 2."""

import shlex
from pathlib import Path

import pytest

from zypher.cli.main import main

NO_REDIS = "redis://127.0.0.1:1"

MISTAKES = [
    # The command
    ("sreve", "There is no command sreve; did you mean serve?"),
    ("--bogus", "`zypher` takes no --bogus; see `zypher --help`."),
    ("serve a.py:A extra", "`zypher serve` takes no extra; see `zypher serve --help`."),
    ("serve --prot 1", "`zypher serve` takes no --prot; did you mean --port?"),
    ("serve --workers 2", "`zypher serve` takes no --workers; did you mean --replicas?"),
    ("serve --port", "Argument --port: expected one argument; see `zypher serve --help`."),
    ("worker a.py:A --port 1", "`zypher worker` takes no --port; see `zypher worker --help`."),
    ("config --bogus", "`zypher config` takes no --bogus; see `zypher config --help`."),
    ("check", "The following arguments are required: TARGET; see `zypher check --help`."),
    # A value
    ("serve --port x", "--port is 'x'; it must be a whole number from 0 to 65535."),
    ("serve --port 70000", "--port is '70000'; it must be a whole number from 0 to 65535."),
    ("serve --replicas 0", "--replicas is '0'; it must be a whole number from 1 to 1000."),
    ("serve --replicas 1.5", "--replicas is '1.5'; it must be a whole number from 1 to 1000."),
    ("serve --drain-timeout-s -1", "--drain-timeout-s is '-1'; it must be a number from 0 to 315360000."),
    ("serve --log-level loud", "--log-level is 'loud'; it must be one of debug, info, warning, error."),
    ("serve --max-data-mb 0", "--max-data-mb is '0'; it must be a whole number from 1 to 1073741824."),
    (
        "serve --engine mysql://x",
        "No engine is called 'mysql'; it must be embedded, memory, or a URL that begins with redis://",
    ),
    (
        "serve --engine rediss",
        "No engine is called 'rediss'; it must be embedded, memory, or a URL that begins with redis://",
    ),
    ("serve --allowed-host http://x", "--allowed-host http://x is no host; name one as api.example.com"),
    ("serve --cors-origin a.com/x", "--cors-origin a.com/x is no origin; name one as https://app.example.com"),
    ("serve --forwarded-allow-ips x", "--forwarded-allow-ips x is no address or network; name one as 10.0.0.1"),
    # A combination
    ("serve --no-worker", "A server without a worker needs an engine that others can reach; name one, as --engine"),
    ("serve --model x", "--model chooses what a server without a worker serves; add --no-worker, or leave it out."),
    (
        "serve --engine memory --require-durable-engine",
        "An engine in memory keeps nothing; name another one, or leave out --require-durable-engine.",
    ),
    ("worker a.py:A", "A worker of its own needs an engine that others can reach; name one, as --engine"),
    ("serve --ssl-keyfile key", "--ssl-keyfile needs a certificate; add --ssl-certfile."),
    ("queue dead purge x --all", "Argument --all: not allowed with argument ID; see `zypher queue dead purge --help`."),
    # A file or a place
    ("serve --ssl-certfile none.pem", "none.pem cannot be read (No such file or directory); name another with"),
    ("serve --ssl-certfile file", "The certificate file and its private key do not fit together or are no PEM"),
    ("serve --data-dir file", "The data folder file cannot be used (Not a directory); make it a writable folder, or"),
    ("serve --uds file", "file exists and is not a socket; name another path with --uds."),
    (
        "serve --uds none/x.sock",
        "The socket none/x.sock cannot be made (No such file or directory); name another path.",
    ),
    ("serve --host 192.0.2.1", "Host 192.0.2.1 is no address of this machine; name another with --host."),
    (f"serve --engine {NO_REDIS}", f"The engine at {NO_REDIS} cannot be reached"),
    (f"worker a.py:A --engine {NO_REDIS}", f"The engine at {NO_REDIS} cannot be reached"),
    (f"queue --engine {NO_REDIS}", f"The engine at {NO_REDIS} cannot be reached"),
    (
        "queue --engine memory",
        "An engine in memory has no socket for operators; read its queues in",
    ),
    ("serve --no-worker --engine memory", "A server without a worker needs an engine that others can reach"),
    ("queue --data-dir none", "There is no data folder none here; name the server's with --data-dir"),
    # What is sent
    ("predict", "One of the arguments INPUT --file is required; see `zypher predict --help`."),
    ("predict a b", "`zypher predict` takes no b; see `zypher predict --help`."),
    ("predict --file none", "none cannot be read: No such file or directory."),
    ("predict --json-input {", "The input is not JSON (Input data was truncated); without --json-input it is sent as"),
    ("predict a --url nowhere", "'nowhere' is no server's URL; write it as http://localhost:8080."),
    ("predict a --url http://h:99999", "'http://h:99999' is no server's URL; write it as http://localhost:8080."),
    ("check a.py:A --input x", "--input is not JSON (JSON is malformed: invalid character (byte 0)); a text needs its"),
    # A model
    ("check none.py:A", "There is no file `none.py` in "),
    ("check none:A", "There is no module `none` in "),
    ("check a.py", "The target `a.py` does not name a model: write package.module:Name or path/to/file.py:Name."),
    ("check a.py:B", "There is no `B` in `a.py`: name a function or a class in it."),
    (
        "check a.py:NoPredct",
        "There is no `NoPredct` in `a.py` (did you mean `NoPredict`?): name a function or",
    ),
    ("check a.py:VALUE", "`VALUE` is a `int`, which cannot be called: name a function or a class."),
    ("check a.py:NoPredict", "The class `NoPredict` has no method `predict`: give it one that takes the input, or "),
    ("check a.py:Needs", "`Needs()` requires `path`, but a model's class is called without arguments: give them"),
    ("check a.py:unserved", "`unserved` takes `x: complex`, which JSON cannot give (`builtins.complex` is no type of"),
    ("check syntax.py:f", "Importing `syntax.py` raised SyntaxError: "),
    ("check latin.py:f", "Importing `latin.py` raised SyntaxError: "),
    ("check needs.py:f", "Importing `needs.py` needs the module `no_such_package`: install it for "),
]

MODELS = """
VALUE = 5
def unserved(x: complex): ...
class A:
    def predict(self, text: str) -> str: ...
class NoPredict: ...
class Needs:
    def __init__(self, path): ...
    def predict(self, text: str) -> str: ...
"""


@pytest.mark.parametrize(("line", "sentence"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_one_sentence(line: str, sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text(MODELS)
    Path("file").write_text("")
    Path("syntax.py").write_text("def f(:\n")
    Path("latin.py").write_bytes(b"x = '\xe9'\n")
    Path("needs.py").write_text("import no_such_package\n")
    assert main(shlex.split(line)) == 2
    printed = [each for each in capfd.readouterr().err.splitlines() if not each.startswith('{"ts"')]
    assert printed[0].startswith(f"zypher: {sentence}")
    assert printed[0].endswith((".", "?"))
    assert len(printed) == 1 or "raised" in printed[0] or "needs the module" in printed[0]
