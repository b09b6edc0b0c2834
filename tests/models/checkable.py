"""Gives outputs that follow from their inputs, each with a mark of the run that made it, and keeps a list of its runs.

The list is what nobody can take back: a line is there once a run has begun, and another once it has ended. A file
`trick.hold` or `trick.fork` beside it is taken by one run, which never ends: it holds the GIL for good, or leaves a
forked child that lives on; `tricked` then has the process id of that run.
"""

import contextlib
import ctypes
import hashlib
import itertools
import os
import time
from pathlib import Path
from typing import TypedDict

_CHILD_S = 4.0
_runs = itertools.count()
_files: dict[str, int] = {}  # open for good, by folder


class Question(TypedDict):
    number: int
    text: str
    run_s: float  # how long to take
    raises: bool  # fail instead of answering
    folder: str  # of the list


class Answer(TypedDict):
    number: int
    digest: str  # SHA-256 of the text
    run: str  # differs from run to run


class Checkable:
    concurrency = 8

    def predict(self, input: Question) -> Answer:
        run = f"{os.getpid()}-{time.monotonic_ns()}-{next(_runs)}"
        _note(input, f"begin {run}")
        _play(Path(input["folder"]))
        time.sleep(input["run_s"])
        _note(input, f"end {run}")
        if input["raises"]:
            raise ValueError(f"asked to fail number {input['number']}")
        return {"number": input["number"], "digest": hashlib.sha256(input["text"].encode()).hexdigest(), "run": run}


def _play(folder: Path) -> None:
    """Take a trick that is there, and never return."""
    for trick in ("hold", "fork"):
        with contextlib.suppress(FileNotFoundError):
            (folder / f"trick.{trick}").rename(folder / "taken")
            (folder / "tricking").write_text(str(os.getpid()))
            (folder / "tricking").rename(folder / "tricked")
            if trick == "fork" and os.fork() == 0:
                time.sleep(_CHILD_S)
                os._exit(0)
            sleep = ctypes.PyDLL(None).usleep if trick == "hold" else time.sleep  # PyDLL keeps the GIL
            while True:
                sleep(1000)


def _note(input: Question, event: str) -> None:
    """Append a line in one write, so that lines of many processes do not mix.

    The file stays open: the first call that gives up the GIL is the write itself, so no other run can hold this back.
    """
    line = f"{event} {input['number']} {os.getpid()} {time.monotonic()}\n"
    folder = input["folder"]
    if folder not in _files:
        _files[folder] = os.open(Path(folder) / "runs", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(_files[folder], line.encode())
