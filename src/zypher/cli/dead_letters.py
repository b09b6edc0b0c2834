"""`zypher queue dead`: list, show, replay or purge dead letters."""

import argparse
from typing import TYPE_CHECKING

from zypher.cli.subcommands import Subcommands, add_flags
from zypher.cli.tables import table
from zypher.cli.terminal import DONE, FAILED, print_error, print_json
from zypher.text import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from zypher.operations.dead_letters import OperatorEngine
    from zypher.prediction import Prediction
    from zypher.settings import EngineSettings

USAGE = "[list [MODEL] | show ID | replay ID|--all | purge ID|--all]"

_MOST_LISTED = 100  # of each model
_PAGE = 1_000  # dead letters that are replayed or purged at once
_EPILOG = (
    "A dead letter is a prediction that failed because each of its attempts lost its replica. It keeps its id: "
    "`replay` queues it again, `purge` forgets it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EPILOG
    subcommands = Subcommands(parser)
    every = {
        "list": subcommands.add("list", "[MODEL] [--json] [FLAGS]", f"the first {_MOST_LISTED} of a model"),
        "show": subcommands.add("show", "ID [--json] [FLAGS]", "one with its instants and its reason"),
        "replay": subcommands.add("replay", "ID | --all [--json] [FLAGS]", "queue one again, or all"),
        "purge": subcommands.add("purge", "ID | --all [--json] [FLAGS]", "forget one, or all"),
    }
    for each in (parser, *every.values()):
        add_flags(each)
    every["list"].add_argument("model", metavar="MODEL", nargs="?", help="the model, else all")
    every["show"].add_argument("prediction_id", metavar="ID", help="the id of a dead letter")
    for word in ("replay", "purge"):
        which = every[word].add_mutually_exclusive_group(required=True)
        which.add_argument("prediction_id", metavar="ID", nargs="?", help="the id of a dead letter")
        which.add_argument("--all", action="store_const", const=True, help="every dead letter")
    for each, act in zip((parser, *every.values()), (_list, _list, _show, _replay, _purge), strict=True):
        each.set_defaults(act=act)


async def _list(settings: "EngineSettings", arguments: argparse.Namespace) -> int:
    from zypher.assembly import operator_session
    from zypher.operations.dead_letters import dead_letters

    async with operator_session(settings) as engine:
        letters = await dead_letters(engine.operations, getattr(arguments, "model", None), _MOST_LISTED)
    if arguments.json:
        print_json([_record(letter) for letter in letters])
    else:
        print(printable(page(letters)))
    return DONE


async def _show(settings: "EngineSettings", arguments: argparse.Namespace) -> int:
    from zypher.assembly import operator_session
    from zypher.operations.dead_letters import dead_letter

    async with operator_session(settings) as engine:
        letter = await dead_letter(engine.operations, arguments.prediction_id)
    if letter is None:
        return _no_dead_letter(arguments.prediction_id)
    if arguments.json:
        print_json(_record(letter))
    else:
        record = {name: str(value) for name, value in _record(letter).items()}
        width = max(map(len, record))
        print(printable("\n".join(f"{name:<{width}}  {value}" for name, value in record.items())))
    return DONE


async def _replay(settings: "EngineSettings", arguments: argparse.Namespace) -> int:
    from zypher.assembly import operator_session

    async with operator_session(settings) as engine:
        return await _do(engine.operations, engine.operations.replay, arguments, "queued again")


async def _purge(settings: "EngineSettings", arguments: argparse.Namespace) -> int:
    from zypher.assembly import operator_session

    async with operator_session(settings) as engine:
        return await _do(engine.operations, engine.operations.purge, arguments, "forgotten")


async def _do(
    operations: "OperatorEngine", act: "Callable[[str], Awaitable[bool]]", arguments: argparse.Namespace, done_what: str
) -> int:
    if getattr(arguments, "all", False):
        done = await _do_all(operations, act)
    elif await act(arguments.prediction_id):
        done = [arguments.prediction_id]
    else:
        return _no_dead_letter(arguments.prediction_id)
    if arguments.json:
        print_json(done)
    else:
        print(f"{len(done)} {'prediction' if len(done) == 1 else 'predictions'} {done_what}.")
    return DONE


async def _do_all(operations: "OperatorEngine", act: "Callable[[str], Awaitable[bool]]") -> list[str]:
    """Page by page: no request occupies a server for long."""
    from zypher.operations.dead_letters import dead_letters

    done: dict[str, None] = {}
    while letters := await dead_letters(operations, limit=_PAGE):
        new = [letter.prediction_id for letter in letters if letter.prediction_id not in done]
        acted = [prediction_id for prediction_id in new if await act(prediction_id)]
        if not acted:
            break  # those that are left failed again meanwhile
        done |= dict.fromkeys(acted)
    return list(done)


def page(letters: "Sequence[Prediction]") -> str:
    """The list for people."""
    if not letters:
        return "There are no dead letters."
    heading = ("PREDICTION", "MODEL", "DIED", "ATTEMPTS", "REASON")
    return table(heading, [_row(letter) for letter in letters])


def _row(letter: "Prediction") -> tuple[str, ...]:
    return (letter.prediction_id, letter.model, _instant(letter.finished_at), str(letter.attempt), _reason(letter))


def _record(letter: "Prediction") -> dict[str, object]:
    return {
        "prediction_id": letter.prediction_id,
        "model": letter.model,
        "submitted_at": _instant(letter.submitted_at),
        "died_at": _instant(letter.finished_at),
        "attempts": letter.attempt,
        "reason": _reason(letter),
    }


def _reason(letter: "Prediction") -> str:
    failure = None if letter.outcome is None else letter.outcome.failure
    return "" if failure is None else failure.message.removeprefix("worker_lost: ")


def _instant(instant: "datetime | None") -> str:
    return "" if instant is None else instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _no_dead_letter(prediction_id: str) -> int:
    print_error(f"{prediction_id} is no dead letter; `zypher queue dead` lists them.")
    return FAILED
