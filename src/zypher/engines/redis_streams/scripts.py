"""Reads the Lua scripts: one named script per file of `lua/`, which lists its keys and arguments at its top."""

import hashlib
import re
import textwrap
from functools import cache
from importlib import resources

import msgspec

from zypher.engines import redis_streams

_USES = re.compile(r"^( *)-- uses (.+)\n", re.MULTILINE)
_FUNCTION = re.compile(r"^local function (\w+)(?:.* end\n|.*\n(?:.*\n)*?end\n)", re.MULTILINE)


class Script(msgspec.Struct, frozen=True):
    """A transition that Redis makes at once or not at all."""

    name: str
    text: str
    digest: str  # stands for the text at a server that ran it before


@cache
def script(name: str) -> Script:
    """The script of lua/`name`.lua, with the functions of lua/parts that it calls.

    Redis makes the functions of a script anew in each run. So those that nothing calls are left out, and what only a
    rarely called function uses stands inside of it.
    """
    text = _without_unused(_with_parts(_read(f"{name}.lua"), set()))
    # SHA-1 is how the server names scripts; it protects nothing.
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _with_parts(text: str, known: set[str]) -> str:
    """A text with the parts that it uses in front of it, and those that a function uses inside of that.

    Without those that are `known`, to which the ones in front are added.
    """
    above = ""

    def parts(uses: re.Match[str]) -> str:
        nonlocal above
        indent, names = uses.groups()
        if indent:
            return textwrap.indent(_parts(names, set(known)), indent)
        above += _parts(names, known)
        return ""

    text = _USES.sub(parts, text)
    return above + text


def _parts(names: str, known: set[str]) -> str:
    parts = ""
    for name in names.split(", "):
        if name not in known:
            known.add(name)
            parts += _with_parts(_read(f"parts/{name}.lua"), known)
    return parts


def _without_unused(text: str) -> str:
    """A script without the functions that nothing behind them names."""
    kept = ""
    for function in reversed(list(_FUNCTION.finditer(text))):
        kept = text[function.end() :] + kept
        text = text[: function.start()]
        if re.search(rf"\b{function[1]}\b", kept):
            kept = function[0] + kept
    return text + kept


def _read(path: str) -> str:
    return (resources.files(redis_streams) / "lua" / path).read_text(encoding="utf-8")
