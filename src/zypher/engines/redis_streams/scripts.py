"""Reads the Lua scripts: one named script per file of `lua/`, which lists its keys and arguments at its top."""

import hashlib
import re
from functools import cache
from importlib import resources

import msgspec

from zypher.engines import redis_streams

_USES = re.compile(r"^-- uses (.+)$", re.MULTILINE)


class Script(msgspec.Struct, frozen=True):
    """A transition that Redis makes at once or not at all."""

    name: str
    text: str
    digest: str  # stands for the text at a server that ran it before


@cache
def script(name: str) -> Script:
    """The script of lua/`name`.lua, behind the functions of lua/parts that it and they use."""
    text = _read(f"{name}.lua")
    parts: dict[str, str] = {}
    _add_parts(parts, text)
    whole = "".join([*parts.values(), text])
    # SHA-1 is how the server names scripts; it protects nothing.
    return Script(name, whole, hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest())


def _add_parts(parts: dict[str, str], text: str) -> None:
    """Add the parts that a text uses, each behind those that it uses itself."""
    uses = _USES.search(text)
    for part in uses[1].split(", ") if uses else []:
        if part not in parts:
            used = _read(f"parts/{part}.lua")
            _add_parts(parts, used)
            parts[part] = used


def _read(path: str) -> str:
    return (resources.files(redis_streams) / "lua" / path).read_text(encoding="utf-8")
