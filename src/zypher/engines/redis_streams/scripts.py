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
    """The script of lua/`name`.lua, behind the functions of lua/parts that it uses."""
    text = _read(f"{name}.lua")
    uses = _USES.search(text)
    parts = uses[1].split(", ") if uses else []
    whole = "".join([*(_read(f"parts/{part}.lua") for part in parts), text])
    # SHA-1 is how the server names scripts; it protects nothing.
    return Script(name, whole, hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest())


def _read(path: str) -> str:
    return (resources.files(redis_streams) / "lua" / path).read_text(encoding="utf-8")
