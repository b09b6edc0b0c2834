"""`zypher config`: show each setting and where its value came from."""

import argparse
from pathlib import Path
from typing import cast

from zypher.cli.setting_flags import add_settings, read_settings
from zypher.cli.tables import table
from zypher.cli.terminal import print_json
from zypher.settings import SETTINGS, Resolved, Setting, shown
from zypher.text import printable

HELP = "Show each setting, its value and origin; takes the arguments of serve."
USAGE = "[TARGET] [--json] [FLAGS]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    resolved = read_settings(arguments)
    if arguments.json:
        print_json(_record(resolved))
    else:
        print(page(resolved))
    return 0


def page(resolved: Resolved) -> str:
    """Name, value and origin of every setting, for people."""
    return table(("setting", "value", "from"), [_row(setting, resolved) for setting in SETTINGS])


def _row(setting: Setting, resolved: Resolved) -> tuple[str, str, str]:
    value = printable(shown(_shown_value(setting, resolved))) or "-"
    return setting.name, value, resolved.origins[setting.name]


def _record(resolved: Resolved) -> dict[str, dict[str, object]]:
    def plain(value: object) -> object:
        if isinstance(value, tuple):
            return list(cast("tuple[str, ...]", value))
        return value if value is None or isinstance(value, bool | int | float) else shown(value)

    return {
        setting.name: {"value": plain(_shown_value(setting, resolved)), "from": resolved.origins[setting.name]}
        for setting in SETTINGS
    }


def _shown_value(setting: Setting, resolved: Resolved) -> object:
    """The value; paths and URLs are masked when other machines can reach the server."""
    value = resolved.value(setting)
    if resolved.settings.http.exposes_errors or value == setting.default:
        return value
    if isinstance(value, str) and "://" in value:
        return value.partition("://")[0] + "://***"
    return "***" if isinstance(value, Path) else value
