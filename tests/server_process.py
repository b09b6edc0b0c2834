"""A `zypher serve` or `zypher worker` for tests that look from outside, and no process of it left afterwards."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import httpx
import psutil

_START_S = 30.0
_STOP_S = 45.0
_VANISH_S = 10.0  # for replicas whose server has ended
_LOOK_AGAIN_S = 0.01


class ZypherProcess:
    """A command that works in `directory` until it is told to stop, and keeps its data there.

    Another one in the same directory finds the same data, which is how a restart is tested.
    Leaving the `with` block kills whatever of it still runs. Replicas that outlive a command which has ended are a
    failure of the test: they are to notice by themselves.
    """

    def __init__(self, directory: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self._log = directory / f"{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(*arguments),
                cwd=directory,
                env=_plain_environment() | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "zypher", *arguments]

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> list[dict[str, object]]:
        """What it has to say, in order; without the line of each request."""
        return [record for record in self.lines() if record.get("logger") != ACCESS]

    def accesses(self) -> list[dict[str, object]]:
        """The line of each request."""
        return [record for record in self.lines() if record.get("logger") == ACCESS]

    def lines(self) -> list[dict[str, object]]:
        """The lines of its log that are JSON objects, in order."""
        records: list[dict[str, object]] = []
        for line in self.text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                record: object = json.loads(line)
                if isinstance(record, dict):
                    records.append(cast("dict[str, object]", record))
        return records

    def text(self) -> str:
        """Everything that it and its replicas have printed."""
        return self._log.read_text(errors="replace")

    def children(self) -> list[int]:
        """The process ids of its living descendants: its replicas, and what they started."""
        return [process.pid for process in self._session() if process.pid != self.pid]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, timeout_s: float = _STOP_S) -> int:
        """Its exit code, as soon as it has ended by itself; negative for the signal that killed it."""
        return self._process.wait(timeout_s)

    def stop(self) -> int:
        """Ask it to drain; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it, and not its replicas, as a crash would."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            print(self.text(), file=sys.stderr)  # pytest shows it with the failure
        orphans = self._orphans() if error is None and self._process.poll() is not None else []
        for process in self._session():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        assert orphans == [], f"The process ended, and these replicas did not: {orphans}"

    def _orphans(self) -> list[int]:
        deadline = time.monotonic() + _VANISH_S
        while (orphans := self.children()) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN_S)
        return orphans

    def _session(self) -> list[psutil.Process]:
        """What of its session still runs: its replicas belong to it even when it is dead."""
        return [process for process in psutil.process_iter() if _session_of(process) == self.pid]

    def wait_until(self, reached: Callable[[], bool], purpose: str) -> None:
        """Return as soon as it can do what it is for; fails when it ends before."""
        deadline = time.monotonic() + _START_S
        while not reached():
            code = self._process.poll()
            assert code is None, f"The process ended with exit code {code} before it could {purpose}:\n{self.text()}"
            assert time.monotonic() < deadline, f"It could not {purpose} in {_START_S} s:\n{self.text()}"
            time.sleep(_LOOK_AGAIN_S)


ACCESS = "zypher.access"


class ServerProcess(ZypherProcess):
    """A server on a free port."""

    def __init__(self, directory: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, *arguments, environment=environment)
        self._url = ""

    def command(self, *arguments: str) -> list[str]:
        return super().command("serve", *arguments, "--port", "0")

    @property
    def url(self) -> str:
        """Where it listens, such as http://127.0.0.1:40123; waits until it does."""
        if not self._url:
            self.wait_until(self._find_url, "listen")
        return self._url

    def wait_ready(self) -> Self:
        """Return once a prediction can be run at once."""
        self.wait_until(self._is_ready, "be ready")
        return self

    def _find_url(self) -> bool:
        found = re.search(r'\burl(?:": "|=)(?P<url>[^\s"]+)', self.text())
        self._url = found["url"] if found else ""
        return bool(self._url)

    def _is_ready(self) -> bool:
        return (
            httpx.get(f"{self.url}/healthz/ready?run", timeout=_START_S, trust_env=False, verify=False).status_code
            == 200
        )


class WorkerProcess(ZypherProcess):
    """A worker of an engine that others can reach."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        super().__init__(directory, "worker", *arguments)

    def wait_ready(self) -> Self:
        """Return once it receives predictions."""
        self.wait_until(lambda: any(record["message"] == "ready" for record in self.log()), "be ready")
        return self


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ZYPHER_")}


def _session_of(process: psutil.Process) -> int:
    try:
        return 0 if process.status() == psutil.STATUS_ZOMBIE else os.getsid(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return 0
