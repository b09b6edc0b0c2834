"""The values in zypher.toml, and their lines."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from zypher.errors import SettingsError


class TomlFile(msgspec.Struct, frozen=True):
    """The keys of one file; empty when there is no file."""

    name: str
    values: Mapping[str, object]
    lines: Mapping[str, int]  # key -> the line that sets it, counted from 1

    def origin(self, key: str) -> str:
        return f"{self.name}, line {self.lines[key]}" if key in self.lines else self.name


def read_toml(path: Path | None) -> TomlFile:
    """Read the file, if it is there. Raises `SettingsError` when it cannot be read or is not TOML."""
    try:
        text = "" if path is None else path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return TomlFile("", {}, {})
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    return TomlFile(str(path), _parsed(text, path), _lines(text))


def _parsed(text: str, path: Path | None) -> Mapping[str, object]:
    if not text:
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None


def _lines(text: str) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key = re.match(r"""\s*\[?\s*["']?([\w-]+)["']?\s*[=.\]]""", line)
        if key is not None:
            found.setdefault(key[1], number)
    return found
