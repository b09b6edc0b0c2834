"""A small process beside a replica, which ends what the model started when the worker dies without doing so."""

import os
import subprocess
import sys
from contextlib import suppress

from zypher.settings.resolve import environment_of_children
from zypher.worker import process_group

_SHELL = "/bin/sh"
# A shell waits in a tenth of the memory that an interpreter needs. A signal for all of a service is not for it.
_WAIT = 'trap "" HUP INT TERM; read -r line; exec "$@"'


class Guard:
    """Waits for the end of a pipe whose other end only the worker has, and then ends one process group.

    It lives in a session of its own, has no other descriptor of the worker, and is no child of the replica, whose
    model may wait for its children.
    """

    def __init__(self, group: int) -> None:
        self._group = group
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, also in place of one that has ended. Raises `OSError`."""
        self.dismiss()
        # Not by asyncio, which would kill it with an event loop that is closed early.
        self._process = subprocess.Popen(
            _command(self._group),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment_of_children(),
            start_new_session=True,
        )

    def has_ended(self) -> bool:
        """Whether it was killed, or never started: by itself it ends after the worker."""
        return self._process is None or self._process.poll() is not None

    def dismiss(self) -> None:
        """End it, if there is one: the group has ended. May happen twice."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()


def reap(group: int) -> None:
    """Leave no zombie of the group to this process, which inherits orphans if it is the first of its container."""
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass


def _command(group: int) -> list[str]:
    program = [sys.executable, "-I", "-S", process_group.__file__, str(group)]
    return [_SHELL, "-c", _WAIT, "zypher-guard", *program] if os.access(_SHELL, os.X_OK) else program
