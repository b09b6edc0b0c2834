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
import gc
import signal

import zypher

class Half:
    def predict(self, number: int) -> int:
        if number % 2:
            raise zypher.InvalidInput("$.input must be even.")
        return number // 2

zypher.serve(Half, port=0, log_format="json")
ctrl_c = signal.getsignal(signal.SIGINT) is signal.default_int_handler
print("after serve", ctrl_c, gc.get_threshold()[0], gc.get_freeze_count())
"""


SERVE = 'zypher.serve(Half, port=0, log_format="json")\n'


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
        assert "after serve True 700 0" in server.text()


@pytest.mark.parametrize(
    ("served", "sentence"),
    [
        (
            "lambda text: text",
            "`<lambda>` cannot be found by its name in a file: serve a function or a class at the top",
        ),
        (
            "Half.predict",
            "`Half.predict` cannot be found by its name in a file: serve a function or a class at the top",
        ),
        ("5", "A `int` cannot be served: give a function, a class or its target."),
        ("Half, replica=2", "replica is not a setting; did you mean replicas?"),
        ("Half, port='many'", "port is 'many'; it must be a whole number from 0 to 65535."),
        ("'half.py:Whole'", "half.py`: name a function or a class in it."),
        ("Half, target='a.py:A'", "target is not a setting"),
    ],
)
def test_what_cannot_be_served_is_a_sentence(tmp_path: Path, served: str, sentence: str) -> None:
    with script(tmp_path, SCRIPT.replace("Half, port=0, log_format=", f"{served}, log_format=")) as server:
        assert server.wait() == 1
        assert sentence in server.text()


def test_a_model_that_is_in_no_file_is_refused() -> None:
    with pytest.raises(zypher.ZypherError, match="`Half` cannot be found by its name in a file"):
        exec(SCRIPT, {"__name__": "nowhere"})  # as in an interactive session


@pytest.mark.parametrize("model", [target("echo.py:Echo"), Echo], ids=["target", "class"])
def test_a_test_serves_a_model_and_leaves_nothing(model: type | str) -> None:
    with zypher.testing.serve(model, replicas=2) as client:
        assert client.predict("abc") == {"input": "abc", "result": "3"}
        with pytest.raises(zypher.Rejected, match=r"\$\.input must be a string\."):
            client.predict(5)
    assert [child.cmdline() for child in psutil.Process().children() if "zypher.replica" in str(child.cmdline())] == []


@pytest.mark.parametrize("named", [False, True])
def test_a_test_may_serve_with_a_data_folder(tmp_path: Path, named: bool) -> None:
    settings = {"data_dir": str(tmp_path / "data")} if named else {"engine": "embedded"}
    with zypher.testing.serve(Echo, **settings) as client:
        assert client.predict("ab") == {"input": "ab", "result": "2"}
    assert (tmp_path / "data" / "zypher.db").exists() == named


def test_a_test_gets_the_reason_why_a_model_cannot_load() -> None:
    with (
        pytest.raises(zypher.ZypherError, match="There is no `Nobody` in"),
        zypher.testing.serve(target("echo.py:Nobody")),
    ):
        pytest.fail("it was served")


def test_a_wrapper_is_served_by_its_own_name(tmp_path: Path) -> None:
    wrapper = """
import functools, zypher
from other import plain

@functools.wraps(plain)
def wrapper(text: str) -> str:
    return plain(text) + "!"

loud = wrapper
zypher.serve(loud, port=0, log_format="json")
"""
    (tmp_path / "other.py").write_text("def plain(text: str) -> str:\n    return text\n")
    with script(tmp_path, wrapper).wait_ready() as server, client_of(server) as client:
        assert predict(client, "a").json() == "a!"


def test_a_module_of_a_package_is_served_by_its_name(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "helper.py").write_text("FACTOR = 3\n")
    (package / "mod.py").write_text("from .helper import FACTOR\n" + SCRIPT.replace("number // 2", "number * FACTOR"))
    with ScriptProcess(tmp_path, "-m", "pkg.mod").wait_ready() as server, client_of(server) as client:
        assert predict(client, 2).json() == 6


def test_a_model_of_the_scripts_own_path_is_found(tmp_path: Path) -> None:
    package = tmp_path / "elsewhere" / "models" / "halves"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("def halve(number: int) -> float:\n    return number / 2\n")
    (package / "more.py").write_text("def double(number: int) -> int:\n    return number * 2\n")
    text = f"""
import sys
sys.path.insert(0, {str(package.parent)!r})
import zypher
from halves.more import double

zypher.serve(double, port=0, log_format="json")
"""
    with script(tmp_path, text).wait_ready() as server, client_of(server) as client:
        assert predict(client, 4).json() == 8


def test_serve_needs_the_main_thread(tmp_path: Path) -> None:
    threaded = "import threading\nthreading.Thread(target=zypher.serve, args=(Half,), kwargs={'port': 0}).start()\n"
    with script(tmp_path, SCRIPT.replace(SERVE, threaded)) as server:
        server.wait()
        assert "zypher.serve needs the main thread" in server.text()


def test_a_server_in_a_test_is_none_of_its_replicas(tmp_path: Path) -> None:
    with script(tmp_path, SCRIPT.replace(SERVE, "zypher.testing.serve(Half).__enter__()\n")) as server:
        assert server.wait() == 1
        assert "zypher.testing.serve runs where a model is imported" in server.text()


def test_ctrl_c_ends_a_start_in_a_test(tmp_path: Path) -> None:
    setup = "    def setup(self):\n        print('in setup', flush=True)\n        time.sleep(60)\n    def predict"
    guarded = "if __name__ == '__main__':\n    zypher.testing.serve(Half).__enter__()\n"
    text = "import time\n" + SCRIPT.replace("    def predict", setup).replace(SERVE, guarded)
    with script(tmp_path, text) as server:
        server.wait_until(lambda: "in setup" in server.text(), "load the model")
        server.signal(signal.SIGINT)
        assert server.wait(10) != 0
        assert "KeyboardInterrupt" in server.text()


def test_an_error_in_setup_shows_the_users_own_lines(tmp_path: Path) -> None:
    text = SCRIPT.replace("    def predict", "    def setup(self):\n        raise KeyError('weights')\n    def predict")
    with script(tmp_path, text) as server:
        assert server.wait() == 1
        assert "raise KeyError('weights')" in server.text()
