"""`zypher config`: show each setting and where its value came from."""

import argparse

from zypher.cli.setting_flags import add_settings, read_settings
from zypher.cli.terminal import print_json
from zypher.settings import SETTINGS, Resolved, shown
from zypher.telemetry.printable import printable

HELP = "Show each setting and where its value came from; takes the arguments of serve."
USAGE = "[TARGET] [--json] [FLAGS]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    resolved = read_settings(arguments)
    if arguments.json:
        print_json(_record(resolved))
    else:
        print(table(resolved))
    return 0


def table(resolved: Resolved) -> str:
    """Name, value and origin of every setting, in aligned columns."""
    rows = [("setting", "value", "from")]
    for setting in SETTINGS:
        value = printable(shown(resolved.value(setting))) or "-"
        rows.append((setting.name, value, resolved.origins[setting.name]))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}" for name, value, origin in rows)


def _record(resolved: Resolved) -> dict[str, dict[str, object]]:
    def plain(value: object) -> object:
        return value if value is None or isinstance(value, bool | int | float) else shown(value)

    return {
        setting.name: {"value": plain(resolved.value(setting)), "from": resolved.origins[setting.name]}
        for setting in SETTINGS
    }
