"""What a process that the model forks off must not do: answer for the replica, go on as one, or ignore signals."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from os import _exit as exit_process
from os import getpid
from threading import local

from zypher.replica.channel import Channel
from zypher.worker.begun import BegunCells

Handler = Callable[[int, object], None]

_replica_pid = getpid()


def isolate(*parts: Channel | BegunCells) -> None:
    """From now on, cut a forked process off from the worker."""

    def cut_off() -> None:
        for part in parts:
            part.detach()

    os.register_at_fork(after_in_child=cut_off)


def handle_signals(handlers: Mapping[signal.Signals, Handler]) -> None:
    """Handle these signals in the replica; a forked process does with them what one of a script does."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    masks = local()

    def block() -> None:  # one that comes in between would be lost
        masks.mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        signal.pthread_sigmask(signal.SIG_BLOCK, handlers)  # by itself: it may run a handler that raises

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.mask)

    def restore() -> None:
        for number, handler in handlers.items():
            if signal.getsignal(number) is handler:  # else it is the model's
                signal.signal(number, before[number])
        unblock()

    os.register_at_fork(before=block, after_in_parent=unblock, after_in_child=restore)


def leave_fork(error: BaseException | None = None) -> None:
    """End this process if it was forked off the replica; as `sys.exit` does in a script, if that was raised."""
    if getpid() == _replica_pid:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    code = error.code if isinstance(error, SystemExit) else 0 if error is None else 1
    exit_process(code if isinstance(code, int) else 0 if code is None else 1)
