"""Runs lint, then levels of tests, two at a time: `python -m tests.levels acceptance fault unit contract`.

Prints how far they are, what a level printed that failed, and the sum of all counts; on Ctrl-C one line.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from contextlib import suppress
from pathlib import Path

from tests.progress import Progress

_AT_ONCE = 2
_DRAWN_EVERY_S = 0.5  # on a terminal, in one line
_PRINTED_EVERY_S = 10.0  # elsewhere, a line each
_GRACE_S = 15.0  # for a level to end after Ctrl-C
_INTERRUPTED = 130
_DOTS = re.compile(r"[.sxXFE]+ +\[ *\d+%\]$")


class Level:
    """One run of pytest."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._file = folder / f"{name}.json"
        self._log = folder / f"{name}.log"
        self._process: Process | None = None

    async def run(self) -> int:
        """Run it to its end, and print how it went; the exit code."""
        began_s = time.monotonic()
        code = await self._run(*self._command())
        printed = [line for line in self._log.read_text(errors="replace").splitlines() if not _DOTS.match(line)]
        _print("\n".join(line for line in printed if code or line.startswith("SKIPPED ")))
        _print(f"{self.name}: {self._result(code)}, in {time.monotonic() - began_s:.0f} s")
        return code

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "pytest", f"tests/{self.name}", "-q"]

    def _result(self, code: int) -> str:
        return counts([self])

    async def _run(self, *command: str) -> int:
        variables = {**os.environ, "TEST_PROGRESS": str(self._file)}
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=log, stderr=STDOUT, env=variables, start_new_session=True
            )
        return await self._process.wait()

    async def end(self) -> None:
        """End it, and wait for that."""
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE_S)
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    def progress(self) -> Progress:
        return Progress.read(self._file)

    def state(self) -> str:
        """Such as `unit 120/1707`."""
        progress = self.progress()
        return f"{self.name} {progress.done}/{progress.of or '…'}"


class Lint(Level):
    """Style, types and the direction of imports."""

    def _command(self) -> list[str]:
        return ["make", "--no-print-directory", "lint"]

    def _result(self, code: int) -> str:
        return "failed" if code else "passed"


async def run(lint: Level, levels: list[Level]) -> int:
    """Run them all; 0 when all passed."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(level: Level) -> int:
        async with turn:
            return await level.run()

    reporting = asyncio.create_task(_report(levels))
    try:
        _print("Lint, half a minute.")
        if await lint.run():
            return 1
        _print(f"Tests: {', '.join(level.name for level in levels)}, two at a time, about twelve minutes.")
        codes = await asyncio.gather(*map(one, levels))
    except asyncio.CancelledError:
        await asyncio.gather(*(each.end() for each in (lint, *levels)))
        raise
    finally:
        reporting.cancel()
    _sum(f"Tests: {counts(levels)}")
    return int(any(codes))


def counts(levels: list[Level]) -> str:
    """Such as `12 passed, 0 failed, 1 skipped`."""
    each = [level.progress() for level in levels]
    return ", ".join(f"{sum(getattr(one, name) for one in each)} {name}" for name in ("passed", "failed", "skipped"))


async def _report(levels: list[Level]) -> None:
    while True:
        await asyncio.sleep(_DRAWN_EVERY_S if sys.stdout.isatty() else _PRINTED_EVERY_S)
        if not any(level.progress().of for level in levels):
            continue
        states = " · ".join(level.state() for level in levels)
        failed = sum(level.progress().failed for level in levels)
        line = f"{states} · {failed} failed"
        if sys.stdout.isatty():
            print(f"\r\x1b[K{line}", end="", flush=True)
        else:
            print(line, flush=True)


def _sum(line: str) -> None:
    _print(line)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write(line + "\n")


def _print(text: str) -> None:
    if text:
        print(("\r\x1b[K" if sys.stdout.isatty() else "") + text, flush=True)


def main() -> int:
    # A shell starts what runs in the background with Ctrl-C ignored, and tests would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="zypher-levels-") as folder:
        levels = [Level(name, Path(folder)) for name in sys.argv[1:]]
        try:
            return asyncio.run(run(Lint("lint", Path(folder)), levels))
        except KeyboardInterrupt:
            _print(f"Interrupted: {counts(levels)} so far.")
            return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
