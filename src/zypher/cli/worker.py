"""`zypher worker`: run a model's predictions until a signal says to stop."""

import argparse

from zypher.cli.setting_flags import add_settings, read_settings
from zypher.cli.terminal import DONE, INTERRUPTED
from zypher.settings import SETTINGS

HELP = "Run a model for servers on other machines, which share an engine with it."
USAGE = "[TARGET] --engine URL [FLAGS]"

_TAKEN = [each for each in SETTINGS if each.name == "host" or (each.section != "http" and each.name != "worker")]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_settings(parser, _TAKEN)
    parser.epilog = "Servers for it: `zypher serve --no-worker --engine URL`, as many as you like."


def run(arguments: argparse.Namespace) -> int:
    settings = read_settings(arguments).settings
    from zypher.assembly import run_worker
    from zypher.telemetry.logs import configure

    configure(settings.log)
    return DONE if run_worker(settings) else INTERRUPTED
