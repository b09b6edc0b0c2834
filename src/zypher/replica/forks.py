"""What a process that the model forks off must not do: answer for the replica, or go on as one."""

import os
import sys
from contextlib import suppress
from os import _exit as exit_process
from os import getpid

from zypher.replica.channel import Channel
from zypher.worker.begun import BegunCells

_replica_pid = getpid()


def isolate(*parts: Channel | BegunCells) -> None:
    """From now on, cut a forked process off from the worker."""

    def cut_off() -> None:
        for part in parts:
            part.detach()

    os.register_at_fork(after_in_child=cut_off)


def leave_fork(error: BaseException | None = None) -> None:
    """End this process if it was forked off the replica; as `sys.exit` does in a script, if that was raised."""
    if getpid() == _replica_pid:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    code = error.code if isinstance(error, SystemExit) else 0 if error is None else 1
    exit_process(code if isinstance(code, int) else 0 if code is None else 1)
