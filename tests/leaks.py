"""What a test may not leave behind: processes, threads, files, and, where it matters, open descriptors."""

import asyncio
import gc
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_PATIENCE_S = 3.0  # what was told to end may take this long
_LOOK_AGAIN_S = 0.01
_SETTLING_TURNS = 100  # of the event loop, for tasks that were told to end


@dataclass(frozen=True, slots=True)
class Holdings:
    """What this process holds at one moment, each thing in words."""

    processes: frozenset[str]
    threads: frozenset[str]
    files: frozenset[str]
    descriptors: int

    @staticmethod
    def now() -> "Holdings":
        return Holdings(
            processes=frozenset(_describe(child) for child in psutil.Process().children()),
            threads=frozenset(f"thread {thread.name} ({thread.ident})" for thread in threading.enumerate()),
            files=frozenset(f"file {path}" for path in _watched_files()),
            descriptors=len(list(Path("/dev/fd").iterdir())),
        )

    def beyond(self, before: "Holdings", *, count_descriptors: bool) -> list[str]:
        """What is held now and was not before."""
        found = sorted(
            (self.processes - before.processes) | (self.threads - before.threads) | (self.files - before.files)
        )
        growth = self.descriptors - before.descriptors
        if count_descriptors and growth > 0:
            found.append(f"{growth} open file descriptors or sockets")
        return found


def left_behind(before: Holdings, *, count_descriptors: bool, patience_s: float = _PATIENCE_S) -> list[str]:
    """What is still held beyond `before` after a little patience; empty as it should be."""
    deadline = time.monotonic() + patience_s
    while found := Holdings.now().beyond(before, count_descriptors=count_descriptors):
        if time.monotonic() >= deadline:
            break
        gc.collect()
        time.sleep(_LOOK_AGAIN_S)
    return found


async def tasks_left(before: set[asyncio.Task[object]]) -> list[str]:
    """The tasks of this event loop that are neither in `before` nor end in a few turns."""
    for _ in range(_SETTLING_TURNS):
        if not _others(before):
            break
        await asyncio.sleep(0)
    return [str(task) for task in _others(before)]


def _others(before: set[asyncio.Task[object]]) -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task not in before and task is not asyncio.current_task()}


def _watched_files() -> list[Path]:
    return [*Path(tempfile.gettempdir()).iterdir(), *Path.cwd().glob(".zypher")]


def _describe(process: psutil.Process) -> str:
    try:
        return f"process {process.pid}: {' '.join(process.cmdline())}"
    except psutil.NoSuchProcess:
        return f"process {process.pid}"
