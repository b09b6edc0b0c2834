"""`zypher.serve` in a script, `zypher.testing.serve` in a test."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

import zypher
from tests.asking import client_of, predict, target
from tests.models.echo import Echo
from tests.server_process import ServerProcess

SCRIPT = """
import signal

import zypher

class Half:
    def predict(self, number: int) -> int:
        if number % 2:
            raise zypher.InvalidInput("$.input must be even.")
        return number // 2

zypher.serve(Half, port=0, log_format="json")
print("after serve", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


class ScriptProcess(ServerProcess):
    """A script that serves its own model."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, *arguments]


@pytest.fixture(scope="module", autouse=True)
def pipe_of_libuv() -> None:
    """Libuv keeps a pipe for the signals of a process, from its first child process on."""
    with zypher.testing.serve(Echo):
        pass


def script(directory: Path, text: str) -> ScriptProcess:
    (directory / "half.py").write_text(text)
    return ScriptProcess(directory, "half.py")


def test_a_script_serves_its_model_until_a_signal(tmp_path: Path) -> None:
    with script(tmp_path, SCRIPT).wait_ready() as server, client_of(server) as client:
        assert predict(client, 6).json() == 3
        refused = predict(client, 5)
        assert (refused.status_code, refused.json()) == (422, {"error": "$.input must be even."})
        server.signal(signal.SIGINT)
        assert server.wait() == 0
        # A replica imports the script, where `serve` returns at once; the script goes on after its own `serve`.
        assert server.text().count("after serve") == 2
        assert "after serve True" in server.text()


@pytest.mark.parametrize(
    ("served", "sentence"),
    [
        ("lambda text: text", "`<lambda>` is inside of a function: define it at the top of a file"),
        ("5", "A `int` cannot be served: give a function, a class or its target."),
        ("Half, replica=2", "replica is not a setting; did you mean replicas?"),
        ("Half, port='many'", "--port is 'many'; it must be a whole number from 0 to 65535."),
        ("'half.py:Whole'", "There is no `Whole` in `half.py`"),
    ],
)
def test_what_cannot_be_served_is_a_sentence(tmp_path: Path, served: str, sentence: str) -> None:
    with script(tmp_path, SCRIPT.replace("Half, port=0, log_format=", f"{served}, log_format=")) as server:
        assert server.wait() == 1
        assert sentence in server.text()


def test_a_model_that_is_in_no_file_is_refused() -> None:
    with pytest.raises(zypher.ZypherError, match="`Half` is in no file"):
        exec(SCRIPT, {"__name__": "nowhere"})  # as in an interactive session


@pytest.mark.parametrize("model", [target("echo.py:Echo"), Echo], ids=["target", "class"])
def test_a_test_serves_a_model_and_leaves_nothing(model: type | str) -> None:
    with zypher.testing.serve(model, replicas=2) as client:
        assert client.predict("abc") == {"input": "abc", "result": "3"}
        with pytest.raises(zypher.Rejected, match=r"\$\.input must be a string\."):
            client.predict(5)
    assert [child.cmdline() for child in psutil.Process().children() if "replica_process" in str(child.cmdline())] == []


def test_a_test_gets_the_reason_why_a_model_cannot_load() -> None:
    with (
        pytest.raises(zypher.ZypherError, match="There is no `Nobody` in"),
        zypher.testing.serve(target("echo.py:Nobody")),
    ):
        pytest.fail("it was served")
