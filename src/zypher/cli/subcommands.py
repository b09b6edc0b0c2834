"""Subcommands after a command, each with its own arguments: `zypher queue dead show ID`."""

import argparse

from zypher.cli.setting_flags import add_settings
from zypher.settings import SETTINGS


class Subcommands:
    """The subcommands of a parser; without one its own arguments count."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._prog = parser.prog
        self._choice = parser.add_subparsers(
            title="subcommands", metavar="SUBCOMMAND", parser_class=type(parser), prog=parser.prog
        )

    def add(self, name: str, usage: str, help_text: str) -> argparse.ArgumentParser:
        """Add one. A flag may also stand before it: only one that is given changes anything."""
        return self._choice.add_parser(
            name,
            help=help_text,
            description=help_text[0].upper() + help_text[1:] + ".",
            usage=f"{self._prog} {name} {usage}",
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Those of every subcommand: how to print, and where the engine is."""
    parser.add_argument("--json", action="store_const", const=True, help="print JSON, once")
    add_settings(parser, [setting for setting in SETTINGS if setting.section == "engine"])
