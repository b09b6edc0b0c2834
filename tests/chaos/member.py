"""One process of the stage, that can be killed, frozen and started again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.polling import wait_until

_VANISH_S = 10.0  # for replicas whose parent was killed
_LOOK_AGAIN_S = 0.01


class Member:
    """A `zypher` command that is started anew whenever the stage wants it; all its starts print to one log."""

    def __init__(self, name: str, arguments: Sequence[str], directory: Path) -> None:
        self.name = name
        self.struck = False  # whether a fault has it in hand
        self._arguments = arguments
        self._directory = directory
        self._log = directory / f"{name}.log"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._printed_before_bytes = 0  # by earlier starts

    @property
    def pid(self) -> int:
        return self._processes[-1].pid

    def start(self) -> None:
        """Begin anew. Whether it can work, others see."""
        with self._log.open("ab") as log:
            self._printed_before_bytes = log.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", "zypher", *self._arguments],
                cwd=self._directory,
                env={name: value for name, value in os.environ.items() if not name.startswith("ZYPHER_")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)

    def exit_code(self) -> int | None:
        """Of its last start; None while it runs."""
        return self._processes[-1].poll() if self._processes else None

    def wait(self, timeout_s: float) -> int:
        return self._processes[-1].wait(timeout_s)

    def signal(self, number: signal.Signals) -> None:
        self._processes[-1].send_signal(number)

    def pids(self) -> frozenset[int]:
        """Itself and its living children."""
        return frozenset({self.pid, *self.children()})

    def children(self) -> list[int]:
        """Its replicas."""
        try:
            return [child.pid for child in psutil.Process(self.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def printed(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""

    def has_loaded(self) -> bool:
        """Whether a replica of its last start has loaded the model."""
        return self._has_printed(b"replica ready")

    def has_begun(self) -> bool:
        """Whether it listens or has loaded the model since its last start."""
        return self._has_printed(b'"listening"') or self.has_loaded()

    def close(self) -> list[int]:
        """Kill what still runs of any of its starts. Returns replicas that outlived their parents, a fault."""
        if not self._processes:
            return []
        running = self.exit_code() is None
        orphans = [] if running else self._orphans()
        for pid in self._left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self._processes:
            process.wait()
        wait_until(lambda: not self._left())
        return orphans

    def _has_printed(self, words: bytes) -> bool:
        """Since its last start."""
        with self._log.open("rb") as log:
            log.seek(self._printed_before_bytes)
            return words in log.read()

    def _orphans(self) -> list[int]:
        deadline = time.monotonic() + _VANISH_S
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)
        return left

    def _left(self) -> list[int]:
        """The living processes of the sessions that it has started."""
        sessions = {process.pid for process in self._processes}
        return [process.pid for process in psutil.process_iter() if _session_of(process) in sessions]


def _session_of(process: psutil.Process) -> int:
    try:
        return 0 if process.status() == psutil.STATUS_ZOMBIE else os.getsid(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return 0
