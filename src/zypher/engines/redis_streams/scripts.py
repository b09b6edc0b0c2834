"""The Lua of this engine: one named script per file of `lua/`, whose keys are listed at its top."""

import hashlib
import re
from functools import cache
from importlib import resources

import msgspec

from zypher.engines import redis_streams

_USES = re.compile(r"^-- uses (.+)$", re.MULTILINE)


class Script(msgspec.Struct, frozen=True):
    """A transition that Redis makes as a whole."""

    name: str
    text: str
    digest: str  # by which a server that has seen the text knows it


@cache
def script(name: str) -> Script:
    """The script of lua/`name`.lua, the functions of lua/parts that it uses before it."""
    text = _read(f"{name}.lua")
    uses = _USES.search(text)
    parts = uses[1].split(", ") if uses else []
    whole = "".join([*(_read(f"parts/{part}.lua") for part in parts), text])
    # The server names scripts so; it protects nothing.
    return Script(name, whole, hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest())


def _read(path: str) -> str:
    return (resources.files(redis_streams) / "lua" / path).read_text(encoding="utf-8")
