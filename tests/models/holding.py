"""Takes its time, part of it holding the interpreter's lock as a careless C extension does, and notes each run."""

import ctypes
import time
from pathlib import Path
from typing import TypedDict


class Span(TypedDict):
    held_s: int  # with the lock
    slept_s: float  # without it
    folder: str  # of the list of runs


class Holding:
    def predict(self, input: Span) -> str:
        with (Path(input["folder"]) / "runs").open("a") as runs:
            runs.write(f"{input['held_s']}\n")
        ctypes.PyDLL(None).sleep(input["held_s"])  # unlike CDLL, PyDLL keeps the lock
        time.sleep(input["slept_s"])
        return "done"
