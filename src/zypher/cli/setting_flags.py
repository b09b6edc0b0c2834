"""The settings as arguments of a command, made from their table."""

import argparse
import os
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

from msgspec.structs import fields

from zypher.settings import SETTINGS, Resolved, Setting, Settings, resolve, shown

_FILE = Path("zypher.toml")


def add_settings(parser: argparse.ArgumentParser, settings: Iterable[Setting] = SETTINGS) -> None:
    """Let these settings, or all, be given on the command line."""
    documents: dict[str, str | None] = {section.name: section.type.__doc__ for section in fields(Settings)}
    for section, its_settings in groupby(settings, lambda setting: setting.section):
        group = parser.add_argument_group(section, documents[section])
        for setting in its_settings:
            _add((parser if setting.rule.positional else group).add_argument, setting)


def read_settings(arguments: argparse.Namespace) -> Resolved:
    """The settings from all sources; the file is the one in the current folder."""
    given: dict[str, str | list[str] | None] = vars(arguments)
    flags = {setting.name: _joined(text) for setting in SETTINGS if (text := given.get(setting.name)) is not None}
    return resolve(flags, os.environ, _FILE)


def _joined(text: str | list[str]) -> str:
    """The text of a flag; of one that was given several times, as a variable holds them."""
    return text if isinstance(text, str) else ",".join(text)


def _add(add: Callable[..., object], setting: Setting) -> None:
    default = shown(setting.default)
    help_text = (setting.rule.help.rstrip(".") + (default and f" [{default}]")).replace("%", "%%")
    if setting.rule.positional:
        add(setting.name, metavar=setting.flag, nargs="?", help=help_text)
    elif setting.kind is bool:
        no_flag = setting.flag.replace("--", "--no-", 1)
        for flag, const in ((setting.flag, "true"), (no_flag, "false")):
            # Only the one that changes the default is shown.
            changes = const != (default or "false")
            prefix = "Turn off: " if const == "false" else ""
            shown_help = prefix + setting.rule.help.rstrip(".") if changes else argparse.SUPPRESS
            add(flag, dest=setting.name, action="store_const", const=const, help=shown_help)
    else:
        action = "append" if setting.kind is tuple else "store"
        add(setting.flag, dest=setting.name, action=action, metavar=_metavar(setting), help=help_text)


def _metavar(setting: Setting) -> str:
    if setting.choices:
        return "|".join(setting.choices)
    if setting.name.endswith("_s"):
        return "SECONDS"
    if setting.name.endswith("_bytes"):
        return "BYTES"
    if setting.name.endswith("_mb"):
        return "MIB"
    return "N" if setting.kind is int else setting.name.rpartition("_")[2].upper()
