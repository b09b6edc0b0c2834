"""The Lua scripts, put together from their parts."""

import re
from importlib import resources

import pytest

from zypher.engines import redis_streams
from zypher.engines.redis_streams.scripts import script

NAMES = sorted(
    each.name.removesuffix(".lua")
    for each in (resources.files(redis_streams) / "lua").iterdir()
    if each.name.endswith(".lua")
)
DEFINED = re.compile(r"local function (\w+)\(")
CALLED = re.compile(r"(?<![.:\w])(?!function\b)(\w+)\(")
OF_LUA = {"ipairs", "pairs", "tonumber", "type", "unpack"}
WORDS = {"and", "elseif", "for", "if", "in", "not", "or", "return", "until", "while"}


def code_of(text: str) -> str:
    """A script without its comments and texts."""
    return re.sub(r"--.*|'[^'\n]*'", "", text)


def functions_in_scope(code: str, place: int) -> set[str]:
    """Functions defined before a place, of inner ones those whose outer one does not end before it."""
    found: set[str] = set()
    for definition in DEFINED.finditer(code, 0, place):
        indent = len(re.findall(r" *\Z", code[: definition.start()])[0])
        outer_ends = indent and re.compile(rf"^ {{0,{indent - 1}}}end$", re.MULTILINE).search(
            code, definition.end(), place
        )
        if not outer_ends:
            found.add(definition[1])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_script_defines_what_it_calls(name: str) -> None:
    code = code_of(script(name).text)

    calls = [call for call in CALLED.finditer(code) if call[1] not in OF_LUA | WORDS]

    assert {call[1] for call in calls if call[1] not in functions_in_scope(code, call.end())} == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_script_calls_what_it_defines(name: str) -> None:
    lines = script(name).text.splitlines()

    outer = [line for line in lines if line.startswith("local function ")]

    unused = [line for line in outer if len(re.findall(rf"\b{DEFINED.findall(line)[0]}\b", "\n".join(lines))) == 1]
    assert unused == []
