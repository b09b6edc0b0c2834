"""The rooms know each other in one direction only, by contracts in pyproject.toml, and tell what is in them."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source import ROOT, SourceFile, source_files


def test_every_import_goes_the_allowed_way() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


ROOMS = [file for file in source_files("src") if file.path.name == "__init__.py"]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.path.parent.name)
def test_a_rooms_map_names_exactly_its_files(room: SourceFile) -> None:
    told = set(re.findall(r"\w+\.py\b", ast.get_docstring(room.tree) or ""))
    there = {path.name for path in (ROOT / room.path).parent.glob("*.py")} - {"__init__.py"}
    assert told in (there, set())


def test_some_rooms_name_their_files() -> None:
    assert sum(".py" in (ast.get_docstring(room.tree) or "") for room in ROOMS) >= 10
