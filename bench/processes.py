"""Server processes: started on their own core, measured, and ended without a trace."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
KIB = 1024
MIB = 1024 * KIB

_CORES = sorted(os.sched_getaffinity(0))
_READY_S = 30.0
_END_S = 10.0
_LOOK_AGAIN_S = 0.002


class ServerError(Exception):
    """A server that is to be measured does not run."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server with every process that it has started."""

    process: psutil.Process
    port: int
    directory: Path  # where it works
    started_at: float  # the reading of `time.perf_counter` when its command was executed

    def cpu_s(self) -> float:
        """User and system seconds that its living processes have used so far, to 0.01 s each."""
        return sum(times.user + times.system for times in (each.cpu_times() for each in self.living()))

    def threads_cpu_s(self) -> float:
        """Seconds that its living threads have run so far, to the nanosecond; only Linux tells."""
        tasks = (Path(f"/proc/{each.pid}/task") for each in self.living())
        return sum(_ran_ns(thread) for task in tasks for thread in task.iterdir()) / 1e9

    def wakes(self) -> int:
        """How often its living threads have gone to sleep so far, and so have woken; only Linux tells."""
        tasks = (Path(f"/proc/{each.pid}/task") for each in self.living())
        return sum(_slept(thread) for task in tasks for thread in task.iterdir())

    def pss_bytes(self) -> int:
        """Proportional memory of all its processes: what they share is counted once."""
        return sum(each.memory_full_info().pss for each in self.living())

    def wait_for(self, method: str, path: str, body: bytes | None = None) -> None:
        """Return as soon as this request is answered with 200."""
        self._wait(lambda: _status(self.port, method, path, body) == 200, f"200 for {method} {path}")

    def wait_for_words(self, words: str) -> None:
        """Return as soon as it has printed these words."""
        self._wait(lambda: words in self.printed(), repr(words))

    def _wait(self, look: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _READY_S
        while not look():
            if self.process.status() == psutil.STATUS_ZOMBIE or time.monotonic() > deadline:
                raise ServerError(f"No {what}; the server has printed: {self.printed()}")
            time.sleep(_LOOK_AGAIN_S)

    def printed(self) -> str:
        """The end of what its processes have printed."""
        return (self.directory / "log").read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        """End its processes at once; may happen twice."""
        kill([self])

    def living(self) -> list[psutil.Process]:
        """Itself and every process that it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.process, *self.process.children(recursive=True)]
        return []


def kill(servers: Sequence[Server]) -> None:
    """End the processes of these servers in the same moment."""
    processes = [each for server in servers for each in server.living()]
    for each in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(processes, timeout=_END_S)


def run_server(
    *command: str, pinned: bool = True, environment: Mapping[str, str] | None = None
) -> contextlib.AbstractContextManager[Server]:
    """Run `python -m command`, as `run_program` does."""
    return run_program(sys.executable, "-m", *command, pinned=pinned, environment=environment)


@contextlib.contextmanager
def run_program(*command: str, pinned: bool = True, environment: Mapping[str, str] | None = None) -> Generator[Server]:
    """Run a command with `{port}` replaced, in an empty folder; kill it in the end.

    `environment` is added to ours. `pinned` keeps the server to the first core and this process to the second.
    The folder lies beside this file: the one for temporary files may be memory, where a write is not durable.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix=".run-", dir=Path(__file__).parent) as name:
        directory = Path(name)
        # A process inherits its cores from the thread that starts it.
        os.sched_setaffinity(0, _CORES[:1] if pinned else _CORES)
        started_at = time.perf_counter()
        with _popen([word.format(port=port) for word in command], directory, environment or {}) as process:
            os.sched_setaffinity(0, _CORES[1:2] if pinned else _CORES)
            server = Server(process, port, directory, started_at)
            try:
                yield server
            finally:
                server.kill()


def _ran_ns(thread: Path) -> int:
    return int((thread / "schedstat").read_text().split()[0])


def _slept(thread: Path) -> int:
    status = (thread / "status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def _popen(command: list[str], directory: Path, environment: Mapping[str, str]) -> psutil.Popen:
    with (directory / "log").open("wb") as log:
        return psutil.Popen(
            command,
            cwd=directory,
            env={**_others(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _others() -> dict[str, str]:
    """Our environment without what would set something."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ZYPHER_")}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _status(port: int, method: str, path: str, body: bytes | None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_READY_S)
    with contextlib.closing(connection):
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            return connection.getresponse().status
        except (ConnectionError, http.client.HTTPException):
            return 0
