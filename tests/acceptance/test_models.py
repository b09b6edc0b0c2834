"""Every form of model and of input type, served."""

from pathlib import Path

import pytest

from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve

UNHINTED = '''
def count(values):
    """Counts, several times."""
    return len(values) * 2
'''

COMMANDING = """
import subprocess

def ask(word: str) -> list[str | int]:
    said = subprocess.check_output(["echo", word], text=True)
    sleeper = subprocess.Popen(["sleep", "60"])
    sleeper.terminate()
    return [said, sleeper.wait(10)]
"""


@pytest.mark.parametrize(
    ("name", "result"),
    [("whisper", "ada"), ("Greeter", "Hello, Ada"), ("AsyncGreeter", "Good day, Ada")],
)
def test_a_form_of_model(serve: Serve, name: str, result: str) -> None:
    with client_of(serve(target(f"forms.py:{name}"))) as client:
        assert predict(client, "Ada").json() == result
        assert output(client, submit(client, "Ada")) == result
        assert predict(client, 1).status_code == 422


def test_a_model_without_hints_takes_any_json(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(UNHINTED)
    with client_of(serve("mine.py:count")) as client:
        assert predict(client, [1, "two", None]).json() == 6
        assert predict(client, {"a": 1}).json() == 2
        response = predict(client, 5)
        assert response.status_code == 500
        assert "TypeError" in response.json()["error"]


def test_a_model_in_a_package_of_the_current_folder(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "prices.py").write_text(
        "from shop.rates import rate\ndef price(n: int) -> float: return n * rate\n"
    )
    (tmp_path / "shop" / "rates.py").write_text("rate = 1.5\n")
    with client_of(serve("shop.prices:price")) as client:
        assert predict(client, 3).json() == 4.5


TYPED: list[tuple[str, object, object, object, str]] = [
    ("of_dataclass", {"x": 2, "y": 3}, 6, {"x": "two"}, "$.input.x"),
    ("of_typed_dict", {"name": "Bern", "people": 5}, "Bern: 5", {"name": "Bern"}, "people"),
    ("of_struct", {"sides": [1, 2]}, 3, {"sides": [1, "two"]}, "$.input.sides[1]"),
    ("of_pydantic", {"number": 1}, {"number": 2, "words": []}, {"number": "one"}, "$.input.number"),
]


@pytest.mark.parametrize(("name", "right", "result", "wrong", "place"), TYPED)
def test_a_typed_input_is_validated_before_it_is_accepted(
    serve: Serve, name: str, right: object, result: object, wrong: object, place: str
) -> None:
    with client_of(serve(target(f"typed.py:{name}"))) as client:
        assert predict(client, right).json() == result
        assert output(client, submit(client, right)) == result
        for headers in ({}, {"Async-Mode": "true"}):
            response = predict(client, wrong, headers)
            assert response.status_code == 422
            assert place in response.json()["error"]


@pytest.fixture
def strays(tmp_path: Path) -> Path:
    """A folder whose files are named like modules of ours and of Python."""
    for name in ("zypher", "msgspec", "json", "starlette", "logging", "codec"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('the wrong one')\n")
    (tmp_path / "mine.py").write_text("def double(n: int) -> int: return 2 * n\n")
    return tmp_path


def test_files_named_like_modules_do_no_harm(serve: Serve, strays: Path) -> None:
    with client_of(serve("mine.py:double", environment={"PYTHONSAFEPATH": "1"})) as client:
        assert predict(client, 4).json() == 8


SHADOWED = """
async def double(n: int) -> int: return 2 * n

class SetUp:
    async def setup(self) -> None:
        self.factor = 2

    def predict(self, n: int) -> int:
        return self.factor * n
"""


@pytest.mark.parametrize("lines", ["", "import asyncio, uvloop\nassert asyncio.MINE and uvloop.MINE\n"])
@pytest.mark.parametrize("name", ["double", "SetUp"])
def test_files_named_like_event_loops_do_no_harm(serve: Serve, tmp_path: Path, name: str, lines: str) -> None:
    content = "MINE = True\n" if lines else "raise ImportError('the wrong one')\n"
    for stray in ("asyncio", "uvloop", "selectors"):
        (tmp_path / f"{stray}.py").write_text(content)
    (tmp_path / "mine.py").write_text(lines + SHADOWED)
    with client_of(serve(f"mine.py:{name}", environment={"PYTHONSAFEPATH": "1"})) as client:
        assert predict(client, 4).json() == 8


def test_a_model_may_start_and_end_processes(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(COMMANDING)
    with client_of(serve("mine.py:ask")) as client:
        assert predict(client, "a").json() == ["a\n", -15]
