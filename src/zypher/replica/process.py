"""The replica's process: loads the model, runs what its worker sends, ends when its socket does.

Started by `zypher.worker.process_replica`, with two descriptors that it inherits:
    python -P -m zypher.replica.process SOCKET BEGUN
"""

import ctypes
import os
import signal
import socket
import sys
import traceback
from os import _exit as exit_process
from typing import Any

from zypher.errors import TargetError
from zypher.models.loader import load
from zypher.replica.batches.release import batch_limits
from zypher.replica.channel import Channel
from zypher.replica.endings import load_failed
from zypher.replica.forks import handle_signals, isolate
from zypher.replica.line_log import Prints
from zypher.replica.log import log_to_worker
from zypher.replica.own_imports import own_import
from zypher.replica.runner import Replica, Runner
from zypher.replica.singles import Singles
from zypher.replica.threads import Threads
from zypher.worker.begun import BegunCells
from zypher.worker.protocol import Load

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    """Live as long as the socket."""
    descriptor, begun = map(int, sys.argv[1:])
    end = socket.socket(fileno=descriptor)
    channel = Channel(end)
    _leave_signals_to_the_worker(channel)
    end.set_inheritable(False)  # what the model starts must not keep the socket open after our death
    os.set_inheritable(begun, False)
    try:
        _live(channel, begun)
    except KeyboardInterrupt:
        pass  # the worker has waited long enough
    except BaseException:
        traceback.print_exc()
        exit_process(1)  # an error of ours; the threads of the model must not hold it up
    # Now the interpreter ends as that of a script: threads, `atexit`, finalizers. The worker kills one that takes long.


def _live(channel: Channel, begun: int) -> None:
    message = _receive_load(channel)
    if message is None:
        return
    prints = log_to_worker(message.log, message.log_mark)
    isolate(channel)
    runner: Runner | None = None
    try:
        runner = _runner(message, channel, begun, prints)
        runner.run()
    except TargetError as error:
        channel.send(load_failed(error))
    channel.end()  # before all that may take long: from now on the worker waits for our end
    if runner is not None:
        runner.close()


def _receive_load(channel: Channel) -> Load | None:
    """The first message; None when the worker is gone before it."""
    messages = channel.receive()
    while messages == []:
        messages = channel.receive()
    if messages is None:
        return None
    (first,) = messages
    assert isinstance(first, Load)
    return first


def _runner(message: Load, channel: Channel, begun: int, prints: Prints) -> Runner:
    """Load the model, before any event loop runs. Raises `TargetError`."""
    os.environ.update(message.environment)
    sys.path[:0] = [folder for folder in message.path if folder not in sys.path]
    model = load(message.target)
    slots = message.slots or model.card.concurrency
    has_batches = model.batch is not None
    limits = batch_limits(
        model.card, has_batches=has_batches, size=message.max_batch_size, wait_s=message.max_batch_wait_s
    )
    cells = BegunCells(begun, slots * limits.size)
    isolate(cells)
    replica = Replica(model, slots, channel, cells, prints, message.max_output_bytes)
    # What an `async def` model or batches need, others do without.
    if model.is_async and limits.size > 1:
        return _made("zypher.replica.batches.tasks", "BatchTasks", replica, limits)
    if model.is_async:
        return _made("zypher.replica.single_tasks", "SingleTasks", replica)
    if limits.size > 1:
        return Threads(replica, _made("zypher.replica.batches.threads", "BatchesInThreads", replica, limits))
    return Threads(replica, Singles(replica))


def _made(module: str, name: str, *arguments: object) -> Any:
    return getattr(own_import(module), name)(*arguments)


def _leave_signals_to_the_worker(channel: Channel) -> None:
    """Ctrl-C and a supervisor signal every process at once; it is the worker that ends the others in order.

    Once the socket has ended, its SIGINT interrupts what takes long as Ctrl-C does in a script.
    """

    def interrupt(_number: int, _frame: object) -> None:
        if channel.ended():
            raise KeyboardInterrupt

    def nothing(_number: int, _frame: object) -> None:  # not SIG_IGN, which what the model starts would inherit
        pass

    os.setpgid(0, 0)  # a group that what the model starts belongs to, so that it can be ended with us
    handle_signals({signal.SIGINT: interrupt, signal.SIGTERM: nothing, signal.SIGHUP: nothing})
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.siginterrupt(number, False)
    if sys.platform == "linux":
        # Without this, a model in a call that holds the GIL would outlive a killed worker.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
