"""A target that cannot be served ends the command with exit code 2 and one message that says what and where."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import zypher as package
from tests.command import zypher

SOURCE = """
import os
import signal

def right(text: str) -> str:
    return text

def takes_nothing() -> str:
    return one + two

def takes_complex(number: complex) -> str:
    return str(number)

class NoPredict:
    pass

class NeedsArgument:
    def __init__(self, path): ...
    def predict(self, text: str) -> str: ...

class Raises:
    def setup(self) -> None:
        self.load("weights.bin")
    def load(self, path):
        raise RuntimeError(f"no weights in {path}")
    def predict(self, text: str) -> str: ...

class Exits(Raises):
    def setup(self) -> None:
        raise SystemExit(5)

class Dies(Raises):
    def setup(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)
"""

TARGETS = [
    ("mine.py", "module:Name"),
    ("absent.py:right", "absent.py"),
    ("absent.module:right", "absent"),
    ("mine.py:rihgt", "did you mean `right`"),
    ("mine.py:takes_nothing", "takes no input"),
    ("mine.py:takes_complex", "complex"),
    ("mine.py:NoPredict", "predict"),
    ("mine.py:NeedsArgument", "path"),
    ("mine.py:Exits", "SystemExit: 5"),
    ("mine.py:Dies", "SIGSEGV"),
    ("broken.py:right", "SyntaxError"),
    ("exiting.py:right", "SystemExit: not today"),
]


def write_sources(folder: Path) -> Path:
    (folder / "mine.py").write_text(SOURCE)
    (folder / "broken.py").write_text("def right(text: str) -> str return text\n")
    (folder / "lacking.py").write_text("import no_such_package\n")
    (folder / "exiting.py").write_text("import sys\nsys.exit('not today')\n")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sources(tmp_path)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CompletedProcess[str]]:
    """How `zypher check` ended for every bad target."""
    folder = write_sources(tmp_path_factory.mktemp("targets"))
    with ThreadPoolExecutor(4) as pool:
        ended = {target: pool.submit(zypher, "check", target, cwd=folder) for target, _ in TARGETS}
    return {target: each.result() for target, each in ended.items()}


@pytest.mark.parametrize(("target", "words"), TARGETS)
def test_a_bad_target(checked: dict[str, CompletedProcess[str]], target: str, words: str) -> None:
    ended = checked[target]
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert words in ended.stderr
    assert_one_message(ended.stderr)


def test_a_bad_target_is_not_served(folder: Path) -> None:
    ended = zypher("serve", "mine.py:absent", "--port", "0", cwd=folder)
    assert ended.returncode == 2
    assert "absent" in ended.stderr
    assert_one_message(ended.stderr)


def test_a_setup_that_raises_shows_the_users_own_traceback(folder: Path) -> None:
    ended = zypher("serve", "mine.py:Raises", "--port", "0", cwd=folder)
    assert ended.returncode == 2
    assert "RuntimeError: no weights in weights.bin" in ended.stderr
    assert 'self.load("weights.bin")' in ended.stderr
    assert f'{folder / "mine.py"}", line' in ended.stderr
    assert_one_message(ended.stderr)


def test_a_failing_import_shows_the_users_own_traceback(folder: Path) -> None:
    ended = zypher("serve", "lacking.py:right", "--port", "0", cwd=folder)
    assert ended.returncode == 2
    assert "import no_such_package" in ended.stderr
    assert_one_message(ended.stderr)


def assert_one_message(text: str) -> None:
    """One sentence of ours, and no line of our code."""
    assert sum(line.startswith("zypher: ") for line in text.splitlines()) == 1, text
    assert str(Path(package.__file__).parent) not in text
    assert "importlib" not in text
