"""What runs a model's attempts in its process: `threads.Threads` or `tasks.Tasks`."""

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from os import _exit as exit_process
from typing import Protocol

import msgspec

from zypher.errors import TargetError
from zypher.models.model import LoadedModel
from zypher.replica.channel import Channel
from zypher.replica.line_log import Prints
from zypher.worker.begun import BegunCells
from zypher.worker.protocol import Pong

logger = logging.getLogger(__name__)


class Replica(msgspec.Struct, frozen=True):
    """What a runner works with."""

    model: LoadedModel
    slots: int
    channel: Channel
    cells: BegunCells
    prints: Prints
    max_output_bytes: int


class Runner(Protocol):
    """One way to run attempts."""

    def run(self) -> None:
        """Set the model up, report it, run what arrives until the worker is gone, and close the model.

        Called in the process's main thread, in which no event loop runs. With an attempt that still runs the process
        ends at once. Raises `TargetError` from the set-up.
        """
        ...

    def close(self) -> None:
        """End what the model has left running in the main thread."""
        ...


def leave_attempts(prints: Prints, *, running: bool) -> None:
    """End the process at once if an attempt is still running: the worker is gone, so no process takes its ending."""
    if running:
        prints.end()
        exit_process(0)


@contextmanager
def closing() -> Generator[None]:
    """Log why the model was not closed in the block, and go on."""
    try:
        yield
    except TargetError as error:
        logger.warning("the model did not close", extra={"reason": str(error), "details": error.details})
    except KeyboardInterrupt:
        logger.warning("the model did not close", extra={"reason": "It took too long and was interrupted."})


def pong() -> Pong:
    """The answer to a Ping: whether this process could open what an attempt may need."""
    try:
        os.close(os.dup(0))
    except OSError as error:
        return Pong(f"cannot open a file ({error.strerror})")
    return Pong("")
