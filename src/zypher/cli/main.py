"""The command `zypher`: finds the command that is meant, and turns its errors into exit codes."""

import argparse
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

import zypher
from zypher.cli.terminal import BROKEN_PIPE, DONE, FAILED, INTERRUPTED, USAGE_ERROR, print_error
from zypher.errors import StartError

_COMMANDS = ("serve", "worker", "predict", "queue", "check", "config")
_EPILOG = f"""\
`zypher COMMAND --help` says more about each.

exit codes:
  {DONE:<4}done
  {FAILED:<4}the prediction failed, or the server or engine did not answer or answered an error
  {USAGE_ERROR:<4}the command, a setting or the model is wrong
  {INTERRUPTED:<4}interrupted; of serve and worker: a second signal stopped it at once;
      of check: 128 and the number of the signal
  {BROKEN_PIPE:<4}the reader of the output closed it
"""


class Command(Protocol):
    """What the file of each command holds."""

    HELP: str  # a sentence
    USAGE: str  # what follows its name

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit code. Raises `StartError`."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Prints each error as one sentence on standard error."""
    _open_closed_streams()
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except StartError as error:
        print_error(str(error), error.details)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print_error("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _open_closed_streams() -> None:
    """Connect standard streams that were closed from the start to nothing.

    Otherwise their descriptors become those of the first files or sockets, and what is printed goes there.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _run(argv: Sequence[str]) -> int:
    if list(argv) == ["--version"]:
        print(f"zypher {zypher.__version__}")
        return DONE
    if argv and not argv[0].startswith("-") and argv[0] not in _COMMANDS:
        raise StartError(f"There is no command {argv[0]}; {_suggestion(argv[0], _COMMANDS, 'zypher')}")
    parser = Parser(
        prog="zypher",
        description="Serve any Python model over HTTP, synchronously and asynchronously.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = _add_commands(parser, argv[:1] if argv and argv[0] in _COMMANDS else _COMMANDS)
    try:
        arguments, surplus = parser.parse_known_args(argv)
    except SystemExit:  # after --help
        return DONE
    if surplus:
        commands.get(arguments.command, parser).refuse(surplus[0])
    if arguments.command is None:
        parser.print_help()
        return DONE
    run = cast("Command", arguments.module).run
    return run(arguments)


def _add_commands(parser: argparse.ArgumentParser, names: Sequence[str]) -> dict[str, "Parser"]:
    """Add these: importing all takes longer than many a command does."""
    parser.add_argument("--version", action="store_true", help="print the version and end")
    choice = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", parser_class=Parser)
    parsers: dict[str, Parser] = {}
    for name in names:
        command = cast("Command", importlib.import_module(f"zypher.cli.{name}"))
        help_text = command.HELP[0].lower() + command.HELP[1:].rstrip(".")
        parsers[name] = choice.add_parser(
            name,
            help=help_text,
            description=command.HELP,
            usage=f"zypher {name} {command.USAGE}",
            allow_abbrev=False,
        )
        command.add_arguments(parsers[name])
        parsers[name].set_defaults(module=command)
    return parsers


_WRONG_WORD = re.compile(r"argument SUBCOMMAND: invalid choice: '(?P<word>.*)' \(choose from (?P<known>.*)\)")


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises where it would exit, and spells every flag in full."""

    def error(self, message: str) -> NoReturn:
        wrong = _WRONG_WORD.match(message)
        if wrong is not None:
            known = re.findall(r"'([^']*)'", wrong["known"])
            raise StartError(f"`{self.prog}` takes no {wrong['word']}; {_suggestion(wrong['word'], known, self.prog)}")
        raise StartError(f"{message[0].upper()}{message[1:]}; {_help_hint(self.prog)}")

    def refuse(self, word: str) -> NoReturn:
        """Raise for an unknown argument."""
        flags = re.findall(r"--[a-z-]+", self.format_help())
        raise StartError(f"`{self.prog}` takes no {word}; {_suggestion(word.partition('=')[0], flags, self.prog)}")


def _suggestion(word: str, known: Sequence[str], prog: str) -> str:
    from zypher.settings import meant

    near = meant(word, [each for each in known if each != word])
    return f"did you mean {near}?" if near else _help_hint(prog)


def _help_hint(prog: str) -> str:
    return f"see `{prog} --help`."
