"""A model that notes each of its runs in the working folder, which is its worker's."""

import ctypes
import time
from pathlib import Path
from typing import TypedDict


class Span(TypedDict):
    """How long to take, and under which number to note it."""

    number: int
    slept_s: float
    held_s: int  # with the interpreter's lock, as a careless C extension does


class Noted:
    """Answers with the number."""

    def predict(self, input: Span) -> int:
        with Path("runs").open("a") as runs:
            runs.write(f"{input['number']}\n")
        if input["held_s"]:
            ctypes.PyDLL(None).sleep(input["held_s"])  # unlike CDLL, PyDLL keeps the lock
        time.sleep(input["slept_s"])
        return input["number"]
