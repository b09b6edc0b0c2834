"""From a target to a model, and what is said when there is none."""

import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zypher.errors import TargetError
from zypher.models.loader import load

Write = Callable[[str, str], Path]


def refusal(target: str) -> TargetError:
    with pytest.raises(TargetError) as caught:
        load(target)
    return caught.value


def test_a_file_s_function_is_loaded(write: Write) -> None:
    write("shouting.py", "def shout(text: str) -> str:\n    'Loud.'\n    return text.upper()\n")

    model = load("shouting.py:shout")

    assert (model.card.name, model.card.description) == ("shout", "Loud.")
    assert model.predict(model.decode_input(b'"hi"')) == "HI"


def test_a_file_may_be_anywhere_and_imports_its_neighbours(write: Write) -> None:
    write("deep/folder/neighbour.py", "ANSWER = 42")
    path = write("deep/folder/asking.py", "import neighbour\ndef ask(_): return neighbour.ANSWER")

    assert load(f"{path}:ask").predict(None) == 42
    assert load("deep/folder/asking.py:ask").predict(None) == 42


@pytest.mark.parametrize(
    "line", ["from .util import V", "from shop.util import V", "from . import util; V = util.V", "from util import V"]
)
def test_a_file_of_a_package_finds_its_neighbours(write: Write, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    write("shop/__init__.py", "")
    write("shop/util.py", "V = 42")
    path = write("shop/ask.py", f"{line}\ndef ask(_): return V")
    write("elsewhere/empty", "")

    for folder in (path.parent, path.parent.parent / "elsewhere"):
        monkeypatch.chdir(folder)
        assert load(f"{path}:ask").predict(None) == 42


def test_a_file_in_a_package_has_its_whole_name(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/util.py", "V = 42")
    write("shop/deep/__init__.py", "from .ask import Ask")  # which imports it first
    write(
        "shop/deep/ask.py",
        "from ..util import V\nclass Ask:\n    def predict(self, _): return [V, type(self).__module__]",
    )

    assert load("shop/deep/ask.py:Ask").predict(None) == [42, "shop.deep.ask"]


def test_a_package_itself_may_be_the_file(write: Write) -> None:
    write("shop/util.py", "V = 42")
    path = write("shop/__init__.py", "from .util import V\ndef ask(_): return [V, __name__]")

    assert load(f"{path}:ask").predict(None) == [42, "shop"]


@pytest.mark.parametrize("package", ["json", "queue", "zypher", "sys"])
def test_a_package_with_the_name_of_another_is_no_package(write: Write, package: str) -> None:
    write(f"{package}/__init__.py", "raise AssertionError")
    write(f"{package}/ask.py", "def ask(_): return 1")

    assert load(f"{package}/ask.py:ask").predict(None) == 1


@pytest.mark.parametrize("line", ["from .util import V", "from loose.util import V"])
def test_an_import_from_no_package_names_what_to_write(write: Write, tmp_path: Path, line: str) -> None:
    write("above/loose/util.py", "V = 42")
    write("above/loose/ask.py", f"{line}\ndef ask(_): return V")

    error = refusal("above/loose/ask.py:ask")

    assert f"write `loose.ask:ask` in the folder {tmp_path / 'above'}" in str(error)
    assert "install" not in str(error)
    assert line in error.details


def test_a_missing_part_of_a_package_is_named(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/ask.py", "from shop.utl import V")

    assert str(refusal("shop/ask.py:ask")) == (
        "Importing `ask.py` needs the module `shop.utl`, which the package `shop` does not have."
    )


def test_a_module_of_the_current_directory_is_loaded(write: Write) -> None:
    write("my_package/__init__.py", "")
    write("my_package/my_model.py", "class Outer:\n    class Inner:\n        def predict(self, x): return x")

    assert load("my_package.my_model:Outer.Inner").card.name == "Inner"


def test_a_files_classes_can_be_pickled(write: Write) -> None:
    write(
        "shapes.py",
        """
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import TypedDict

        class Model:
            def predict(self, shape: Shape) -> Point:
                return Point(shape["corners"][0].x)

        class Shape(TypedDict):
            corners: list[Point]

        @dataclass
        class Point:
            x: int
        """,
    )
    model = load("shapes.py:Model")

    point = model.predict(model.decode_input(b'{"corners": [{"x": 3}]}'))

    assert pickle.loads(pickle.dumps(point)) == point
    assert model.encode_output(point) == b'{"x":3}'
    assert set(model.card.components) == {"Shape", "Point"}


@pytest.mark.parametrize("name", ["json.py", "random.py", "my-model.py", "2nd.py"])
def test_a_file_hides_no_module_by_its_name(write: Write, name: str) -> None:
    before = sys.modules.get(Path(name).stem)
    write(name, "def predict(x): return x")

    assert load(f"{name}:predict").predict(1) == 1
    assert sys.modules.get(Path(name).stem) is before


@pytest.mark.parametrize(
    "target", ["", "model", "model.py", ":Name", "model.py:", "pack:", "a:b:c", "a-b:C", "a..b:C", "m:1x"]
)
def test_a_target_of_another_form_is_refused(target: str) -> None:
    assert "write package.module:Name or path/to/file.py:Name" in str(refusal(target))


def test_a_missing_file_is_named_with_the_nearest(write: Write, tmp_path: Path) -> None:
    write("digits.py", "")

    assert f"no file `digts.py` in {tmp_path} (did you mean `digits.py`?)" in str(refusal("digts.py:Digits"))
    assert "no file `nowhere/digits.py`" in str(refusal("nowhere/digits.py:Digits"))


def test_a_path_without_its_ending_is_refused(write: Write) -> None:
    write("folder/model", "def predict(x): return x")

    assert "must end in .py" in str(refusal("folder/model:predict"))


@pytest.mark.parametrize(("target", "missing"), [("absent_one:X", "absent_one"), ("holder.absent:X", "holder.absent")])
def test_a_missing_module_is_named(write: Write, target: str, missing: str) -> None:
    write("holder/__init__.py", "")

    error = refusal(target)

    assert f"There is no module `{missing}`" in str(error)
    assert error.details == ""


def test_a_missing_import_inside_of_the_module_is_another_thing(write: Write) -> None:
    write("needy.py", "\nimport absent_library\n")

    error = refusal("needy:X")

    assert str(error) == f"Importing `needy` needs the module `absent_library`: install it for {sys.executable}."
    assert 'needy.py", line 2' in error.details


@pytest.mark.parametrize("target", ["broken:X", "broken.py:X"])
def test_a_syntax_error_shows_the_line(write: Write, target: str) -> None:
    write("broken.py", "x = 1\ndef (\n")

    error = refusal(target)

    assert "raised SyntaxError" in str(error)
    assert "def (" in error.details
    assert 'broken.py", line 2' in error.details


@pytest.mark.parametrize(
    ("statement", "headline"),
    [
        ("raise ValueError('bad\\nweights')", "ValueError: bad weights"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Own(BaseException): pass\nraise Own('odd')", "Own: odd"),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_an_exception_at_import_shows_the_users_traceback(write: Write, statement: str, headline: str) -> None:
    write("lower.py", statement)
    write("upper.py", "import lower")

    error = refusal("upper.py:X")

    assert str(error).startswith(f"Importing `upper.py` raised {headline}")
    assert 'upper.py", line 1, in <module>\n    import lower' in error.details
    assert 'lower.py", line' in error.details
    assert "importlib" not in error.details
    assert "zypher" not in error.details
    assert "upper" not in sys.modules


def test_a_missing_name_suggests_the_nearest(write: Write) -> None:
    write("digits.py", "class Digits:\n    def predict(self, x): return x\n")

    assert (
        str(refusal("digits.py:Digit"))
        == "There is no `Digit` in `digits.py` (did you mean `Digits`?): name a function or a class in it."
    )
    assert str(refusal("digits:zebra")) == "There is no `zebra` in `digits`: name a function or a class in it."
    assert "There is no `Digits.Inner` in `digits`" in str(refusal("digits:Digits.Inner"))
