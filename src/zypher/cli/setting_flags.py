"""The settings as arguments of a command, made from their table."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import fields

from zypher.settings import SETTINGS, Resolved, Setting, Settings, resolve, shown

_FILE = Path("zypher.toml")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Let every setting be given on the command line."""
    for section in fields(Settings):
        group = parser.add_argument_group(section.name, section.type.__doc__)
        for setting in SETTINGS:
            if setting.section == section.name:
                _add((parser if setting.rule.positional else group).add_argument, setting)


def read_settings(arguments: argparse.Namespace) -> Resolved:
    """The settings from all sources; the file is the one in the current folder."""
    given: dict[str, str | None] = vars(arguments)
    flags = {setting.name: text for setting in SETTINGS if (text := given.get(setting.name)) is not None}
    return resolve(flags, os.environ, _FILE)


def _add(add: Callable[..., object], setting: Setting) -> None:
    default = shown(setting.default)
    help_text = (setting.rule.help.rstrip(".") + (default and f" [{default}]")).replace("%", "%%")
    if setting.rule.positional:
        add(setting.name, metavar=setting.flag, nargs="?", help=help_text)
    elif setting.kind is bool:
        add(setting.flag, dest=setting.name, action="store_const", const="true", help=help_text)
        no_flag = setting.flag.replace("--", "--no-", 1)
        add(no_flag, dest=setting.name, action="store_const", const="false", help=argparse.SUPPRESS)
    else:
        add(setting.flag, dest=setting.name, metavar=_metavar(setting), help=help_text)


def _metavar(setting: Setting) -> str:
    if setting.choices:
        return "|".join(setting.choices)
    if setting.name.endswith("_s"):
        return "SECONDS"
    if setting.name.endswith("_bytes"):
        return "BYTES"
    return "N" if setting.kind is int else setting.name.rpartition("_")[2].upper()
