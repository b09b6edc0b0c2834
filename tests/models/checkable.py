"""Gives outputs that follow from their inputs, each with a mark of the run that made it, and keeps a list of its runs.

The list is what nobody can take back: a line is there once a run has begun, and another once it has ended.
"""

import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import TypedDict


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
        run = secrets.token_hex(8)
        _note(input, f"begin {run}")
        time.sleep(input["run_s"])
        _note(input, f"end {run}")
        if input["raises"]:
            raise ValueError(f"asked to fail number {input['number']}")
        return {"number": input["number"], "digest": hashlib.sha256(input["text"].encode()).hexdigest(), "run": run}


def _note(input: Question, event: str) -> None:
    """Append a line in one write, so that lines of many processes do not mix."""
    line = f"{event} {input['number']} {os.getpid()} {time.monotonic()}\n"
    file = os.open(Path(input["folder"]) / "runs", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
