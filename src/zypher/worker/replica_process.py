"""The replica's own process: loads the model, runs what it is sent, ends when its socket does.

Started by `zypher.worker.replica`:
    python -m zypher.worker.replica_process SOCKET TARGET CONCURRENCY LOG_FORMAT LOG_LEVEL
"""

import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys
import traceback
from collections.abc import Coroutine
from contextlib import suppress

import uvloop

from zypher.errors import TargetError
from zypher.models.loader import load
from zypher.settings import LogFormat, LogLevel, LogSettings
from zypher.telemetry.logs import LineLog, configure
from zypher.worker.attempts import Attempts
from zypher.worker.channel import Channel
from zypher.worker.messages import Loaded, LoadFailed, decode_to_replica

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    """Live as long as the socket."""
    descriptor, target, concurrency, log_format, log_level = sys.argv[1:]
    _leave_signals_to_the_worker()
    _print_to_the_log(LogSettings(LogLevel(log_level), LogFormat(log_format)))
    end = socket.socket(fileno=int(descriptor))
    end.set_inheritable(False)  # what the model starts must not keep the socket open after our death
    try:
        _run(_live(end, target, int(concurrency)))
    finally:
        traceback.print_exc()
        os._exit(1)  # reached only by an error of ours; the threads of the model must not hold it up


def _run(life: Coroutine[None, None, None]) -> None:
    """As `uvloop.run`, but for a loop that one attempt cannot end for the others in it."""
    loop = uvloop.new_event_loop()
    living = loop.create_task(life)
    while not living.done():
        # A SystemExit or KeyboardInterrupt in a task that an attempt began, or its loop.stop(), leaves the loop.
        with suppress(SystemExit, KeyboardInterrupt, RuntimeError):
            loop.run_until_complete(living)
    living.result()


async def _live(end: socket.socket, target: str, concurrency: int) -> None:
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    channel = Channel(_not_yet, lambda: lost.set_result(None))
    await channel.open(end)
    loading = asyncio.ensure_future(_load(channel, target, concurrency))
    await asyncio.wait({loading, lost}, return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        attempts = loading.result()
        await lost
        if attempts is not None:
            await attempts.close()
    os._exit(0)  # whatever threads the model still has


async def _load(channel: Channel, target: str, concurrency: int) -> Attempts | None:
    """Load the model and tell the worker; None, and the end of the channel, when that fails."""
    try:
        model = load(target)
        attempts = Attempts(model, concurrency or model.card.concurrency, channel.send)
        await attempts.set_up()
    except TargetError as error:
        channel.send(LoadFailed(str(error), error.details))
        channel.close()
        return None
    channel.receive(lambda body: attempts.begin_all(decode_to_replica(body)))
    channel.send(Loaded(model.card))
    return attempts


def _leave_signals_to_the_worker() -> None:
    """Ctrl-C and a supervisor signal every process at once; only the worker knows what to finish first."""
    os.setpgid(0, 0)  # a group that what the model starts belongs to, so that it can be ended with us
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Not SIG_IGN, which the processes that the model starts would inherit.
        signal.signal(number, lambda _number, _frame: None)
        signal.siginterrupt(number, False)
    if sys.platform == "linux":
        # Without this, a model in a call that holds the GIL would outlive a killed worker.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _print_to_the_log(log: LogSettings) -> None:
    """What the model prints goes where the log goes; as records of it, where the log is for machines."""
    os.dup2(2, 1)
    configure(log)
    if log.format is LogFormat.JSON:
        printed = logging.getLogger("model")
        sys.stdout = LineLog(printed, logging.INFO)
        sys.stderr = LineLog(printed, logging.INFO)


def _not_yet(_body: bytes) -> None:
    raise AssertionError("the worker sent an attempt before the model was loaded")


if __name__ == "__main__":
    main()
