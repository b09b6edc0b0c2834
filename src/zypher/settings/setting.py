"""One setting: its names, what it may be, and the sentence that explains it."""

import math
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import cast, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from zypher.text import closest, parse_bool

_CREDENTIALS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:/*).*@", re.DOTALL)  # a password may hold a /, if wrongly
_PASSWORD = re.compile(r"(password=)[^&]*")


class Rule(msgspec.Struct, frozen=True):
    """What a field's annotation adds to its type and default."""

    help: str  # a sentence
    least: float = -math.inf  # bounds of a number, both allowed
    most: float = math.inf
    name: str = ""  # the setting's, where the field's is shorter
    positional: bool = False  # on the command line, an argument without a flag


class Setting(msgspec.Struct, frozen=True):
    """One row of the table; a value that is not allowed raises a bare `ValueError`."""

    name: str
    section: str  # the field of `Settings` that holds its section
    field: str  # the field of the section that holds it
    kind: type[object]  # bool, int, float, str, Path, a StrEnum, or tuple for several texts
    default: object
    rule: Rule

    @property
    def flag(self) -> str:
        """How the command line calls it."""
        return self.name.upper() if self.rule.positional else "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "ZYPHER_" + self.name.upper()

    @property
    def choices(self) -> tuple[str, ...]:
        """The only values of a choice, () of another setting."""
        return tuple(str(word) for word in self.kind) if issubclass(self.kind, StrEnum) else ()

    @property
    def allowed(self) -> str:
        """What it may be, to follow "it must be"."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is tuple:
            return "one or more words, none of them empty"
        if self.kind in (int, float):
            number = "a whole number" if self.kind is int else "a number"
            return f"{number} from {self.rule.least:.15g} to {self.rule.most:.15g}"
        return "a text that is not empty"

    def from_text(self, text: str) -> object:
        """The value that a flag or a variable means by `text`."""
        if self.kind is bool:
            return self.from_value(parse_bool(text))
        if self.kind in (int, float):
            return self.from_value(int(text) if self.kind is int else float(text))
        if self.kind is tuple:
            return self.from_value([part.strip() for part in text.split(",")] if text else [])
        return self.from_value(text)

    def from_value(self, value: object) -> object:
        """`value` as this setting's own type, within its bounds."""
        if self.kind is bool and isinstance(value, bool):
            return value
        if self.kind in (int, float):
            return self._number(value)
        if self.kind is tuple and isinstance(value, list | tuple):
            return tuple(map(_text, cast("list[object]", value)))
        if self.kind is Path:
            return _path(_text(str(value) if isinstance(value, Path) else value))
        if issubclass(self.kind, str):
            return self.kind(_text(value))
        raise ValueError

    def _number(self, value: object) -> int | float:
        fitting = int if self.kind is int else int | float
        if isinstance(value, bool) or not isinstance(value, fitting) or not self.rule.least <= value <= self.rule.most:
            raise ValueError
        return value if self.kind is int else float(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError
    return value


def _path(text: str) -> Path:
    """The path; `~` is the home folder, which no shell has put in place of it in a variable or a file."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # of a user that there is not
        raise ValueError from None


def setting_of(section: str, declared: FieldInfo) -> Setting:
    """The row of the table that a section's field declares."""
    annotated, rule = get_args(declared.type)
    kind = get_args(annotated)[0] if isinstance(annotated, UnionType) else get_origin(annotated) or annotated
    return Setting(rule.name or declared.name, section, declared.name, kind, declared.default, rule)


def shown(value: object) -> str:
    """A setting's value as one would write it, "" when unset; without the user and password of a URL."""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, tuple):
        return ",".join(cast("tuple[str, ...]", value))
    if isinstance(value, str):
        return _PASSWORD.sub(r"\1***", _CREDENTIALS.sub(r"\1***@", value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_SYNONYMS = {  # names that other servers have for our settings
    "address": "host",
    "bind": "host",
    "data_folder": "data_dir",
    "max_workers": "concurrency",
    "num_workers": "replicas",
    "processes": "replicas",
    "threads": "concurrency",
    "timeout": "sync_timeout_s",
    "verbose": "log_level",
    "workers": "replicas",
    "workers_per_device": "replicas",
}


def meant(word: str, known: Sequence[str]) -> str | None:
    """The known flag, variable or key that `word` stands for; None when none is likely."""
    name = _SYNONYMS.get(word.removeprefix("--").removeprefix("ZYPHER_").replace("-", "_").lower(), "")
    forms = (name, "--" + name.replace("_", "-"), "ZYPHER_" + name.upper())
    return next((form for form in forms if form in known), None) or closest(word, known)
