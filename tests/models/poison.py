"""Runs behind a gate, or kills its replica at once."""

import fcntl
import os
import signal
from pathlib import Path
from typing import TypedDict


class Turn(TypedDict):
    text: str
    folder: str  # of the gate


class Poison:
    concurrency = 8

    def predict(self, input: Turn) -> str:
        folder = Path(input["folder"])
        with (folder / "runs").open("a") as runs:
            runs.write(input["text"] + "\n")
        if input["text"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        with (folder / "gate").open() as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
        return input["text"].upper()
