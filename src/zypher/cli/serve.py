"""`zypher serve`: serve a model until a signal says to stop."""

import argparse

from zypher.cli.setting_flags import add_settings, read_settings
from zypher.cli.terminal import DONE, INTERRUPTED
from zypher.settings import SETTINGS

HELP = "Serve a model over HTTP: the built-in mock, unless a TARGET is given."
USAGE = "[TARGET] [FLAGS]"

_TAKEN = [setting for setting in SETTINGS if setting.name != "health_port"]  # its health routes are on its own port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_settings(parser, _TAKEN)
    parser.epilog = (
        "Each flag is also a variable (ZYPHER_PORT) and a key of zypher.toml (port); flags win, then variables."
    )


def run(arguments: argparse.Namespace) -> int:
    settings = read_settings(arguments).settings
    from zypher.assembly import serve
    from zypher.telemetry.logs import configure

    configure(settings.log)
    return DONE if serve(settings) else INTERRUPTED
