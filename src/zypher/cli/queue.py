"""`zypher queue`: the state of queues and workers, dead letters, predictions to cancel, and models to forget."""

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from zypher.cli import dead_letters
from zypher.cli.keys import key_pressed
from zypher.cli.setting_flags import read_settings
from zypher.cli.subcommands import Subcommands, add_flags
from zypher.cli.tables import duration, table
from zypher.cli.terminal import DONE, FAILED, LiveTable, print_error, print_json
from zypher.errors import ModelInUse, Unavailable
from zypher.settings import LogLevel, LogSettings
from zypher.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from zypher.assembly import OperatorSession
    from zypher.clock import Clock
    from zypher.operations.overview import QueueView, WorkerView
    from zypher.queue_state import EngineWarning
    from zypher.settings import EngineSettings

HELP = (
    "Show queues and workers, live on a terminal; list, show, replay or purge dead letters; cancel a prediction; "
    "forget a model."
)
USAGE = f"""[show] [--once | --json] [FLAGS]
       zypher queue dead {dead_letters.USAGE} [--json] [FLAGS]
       zypher queue cancel ID [--json] [FLAGS]
       zypher queue forget MODEL [--json] [FLAGS]"""

_EVERY_S = 1.0
_CANCELLED = {
    "ENDED": "{} is cancelled.",
    "ASKED": "{} runs and is being stopped.",
    "TOO_LATE": "{} has already ended.",
    "UNKNOWN": "There is no prediction {}.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    subcommands = Subcommands(parser)
    show = subcommands.add("show", "[--once | --json] [FLAGS]", "queues and workers; the default")
    for each in (parser, show):
        add_flags(each)
        each.add_argument("--once", action="store_true", help="print the table once, also on a terminal")
    parser.set_defaults(act=_show)
    show.set_defaults(act=_show)
    dead = subcommands.add("dead", f"{dead_letters.USAGE} [--json] [FLAGS]", "list, show, replay or purge dead letters")
    dead_letters.add_arguments(dead)
    cancel = subcommands.add("cancel", "ID [--json] [FLAGS]", "end a prediction that waits or runs")
    add_flags(cancel)
    cancel.add_argument("prediction_id", metavar="ID", help="its id")
    cancel.set_defaults(act=_cancel)
    forget = subcommands.add("forget", "MODEL [--json] [FLAGS]", "forget a model that is not served any more")
    add_flags(forget)
    forget.add_argument("model", metavar="MODEL", help="its name")
    forget.set_defaults(act=_forget)


def run(arguments: argparse.Namespace) -> int:
    settings = read_settings(arguments).settings.engine
    from zypher.telemetry.logs import configure

    configure(LogSettings(level=LogLevel.ERROR))  # that the engine is unavailable is printed in place of the table
    act: Callable[[EngineSettings, argparse.Namespace], Coroutine[object, object, int]] = arguments.act
    try:
        return asyncio.run(act(settings, arguments))
    except KeyboardInterrupt:
        return DONE  # how a live table ends
    except (Unavailable, ModelInUse) as refused:
        print_error(str(refused))
        return FAILED


async def _cancel(settings: "EngineSettings", arguments: argparse.Namespace) -> int:
    from zypher.assembly import operator_session

    async with operator_session(settings) as engine:
        done = await engine.operations.cancel(arguments.prediction_id)
    sentence = _CANCELLED[done.name].format(arguments.prediction_id)
    if done.name in {"TOO_LATE", "UNKNOWN"}:
        print_error(sentence)
        return FAILED
    if arguments.json:
        status = "cancelled" if done.name == "ENDED" else "cancelling"
        print_json({"prediction_id": arguments.prediction_id, "status": status})
    else:
        print(sentence)
    return DONE


async def _forget(settings: "EngineSettings", arguments: argparse.Namespace) -> int:
    from zypher.assembly import operator_session

    async with operator_session(settings) as engine:
        forgotten = await engine.operations.forget(arguments.model)
    if not forgotten:
        print_error(f"No model {arguments.model} is known; `zypher queue` lists them.")
        return FAILED
    if arguments.json:
        print_json([arguments.model])
    else:
        print(f"{arguments.model} is forgotten; predictions for it are refused until a worker announces it again.")
    return DONE


async def _show(settings: "EngineSettings", arguments: argparse.Namespace) -> int:
    from zypher.assembly import operator_session
    from zypher.clock import SystemClock
    from zypher.operations.overview import overview

    clock = SystemClock()
    async with operator_session(settings) as engine:
        if sys.stdout.isatty() and engine.lasting and not (arguments.once or arguments.json):
            await _watch(engine, clock)
            return DONE
        queues = await overview(engine.operations, clock.now())
        warnings = engine.operations.warnings()
    if arguments.json:
        print_json(queues)
    else:
        print(printable(page(queues, warnings)))
    return DONE


async def _watch(engine: "OperatorSession", clock: "Clock") -> None:
    """Draw the table again and again, until `q` or Ctrl-C."""
    with key_pressed("q") as ended:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the terminal is given back in any case
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        drawing = asyncio.create_task(_draw(engine, clock))
        ending = asyncio.create_task(ended.wait())
        await asyncio.wait({drawing, ending}, return_when=asyncio.FIRST_COMPLETED)
        for task in (drawing, ending):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await drawing


async def _draw(engine: "OperatorSession", clock: "Clock") -> None:
    from zypher.operations.overview import overview

    live = LiveTable()
    while True:
        try:
            text = page(await overview(engine.operations, clock.now()), engine.operations.warnings())
        except Unavailable as error:
            text = str(error)
        live.show(f"{text}\n\nq ends this.")
        await clock.sleep(_EVERY_S)


def page(queues: "Sequence[QueueView]", warnings: "Sequence[EngineWarning]" = ()) -> str:
    """The engine's warnings, the queues, the workers and their problems, for people."""
    parts = [f"Warning: {warning.sentence}" for warning in warnings]
    if not queues:
        return "\n\n".join([*parts, "No worker serves a model, and no prediction waits."])
    heading = ("MODEL", "QUEUED", "RUNNING", "DELAYED", "DEAD", "OLDEST", "RUNTIME")
    parts.append(table(heading, [_queue_row(queue) for queue in queues]))
    workers = [_worker_row(queue, worker) for queue in queues for worker in queue.workers]
    if workers:
        parts.append(table(("WORKER", "MODEL", "STATE", "REPLICAS", "SLOTS", "SEEN"), workers))
    else:
        parts.append("No worker is alive.")
    problems = [queue.problem for queue in queues] + [worker.problem for queue in queues for worker in queue.workers]
    parts += [problem for problem in dict.fromkeys(problems) if problem]
    return "\n\n".join(parts)


def _queue_row(queue: "QueueView") -> tuple[str, ...]:
    counts = (queue.queued, queue.running, queue.delayed, queue.dead)
    oldest_s = queue.oldest_s if queue.queued + queue.delayed else None
    return (queue.model, *map(str, counts), duration(oldest_s), duration(queue.run_s))


def _worker_row(queue: "QueueView", worker: "WorkerView") -> tuple[str, ...]:
    state = "draining" if worker.draining else "ready" if worker.ready_replicas else "not ready"
    replicas = f"{worker.ready_replicas}/{worker.replicas}"
    return (worker.worker_id, queue.model, state, replicas, str(worker.slots), duration(worker.silent_s))
