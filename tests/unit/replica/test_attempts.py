"""What a replica has of the attempts that it was sent."""

import os
from collections.abc import Iterator
from contextvars import copy_context

import pytest

from zypher.context import current
from zypher.prediction import StopReason
from zypher.replica.attempts import Attempts
from zypher.replica.running import Running
from zypher.worker import begun
from zypher.worker.begun import BegunCells
from zypher.worker.protocol import Run, Stop, Stopped

FIRST, SECOND = Run(1, "a", 1, b"1"), Run(2, "b", 1, b"2")


@pytest.fixture
def cells() -> Iterator[int]:
    descriptor = begun.create()
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def attempts(cells: int) -> Attempts:
    attempts = Attempts(BegunCells(os.dup(cells), 2))
    attempts.add(FIRST)
    attempts.add(SECOND)
    return attempts


def begin(attempts: Attempts, number: int, slot: int) -> Running | None:
    """Let an attempt begin in a thread or task of its own."""
    return copy_context().run(attempts.begin, number, slot)


def test_an_attempt_runs_from_its_beginning_to_its_end(attempts: Attempts, cells: int) -> None:
    assert (len(attempts), attempts.running, attempts.waiting()) == (2, False, [1, 2])

    thread = copy_context()
    context = thread.run(attempts.begin, 2, 1)

    assert context is not None
    assert context.run is SECOND
    assert thread[current] is context
    assert (len(attempts), attempts.running, attempts.waiting()) == (2, True, [1])
    assert begun.numbers(cells, 2) == [0, 2]  # none has begun in the other slot
    attempts.end(1)
    assert (len(attempts), attempts.running) == (1, False)


def test_one_that_is_stopped_before_it_begins_never_does(attempts: Attempts) -> None:
    assert attempts.stop(Stop(1, StopReason.CANCELLED)) == Stopped(1, begun=False, run_s=0.0)
    assert begin(attempts, 1, 0) is None
    assert (len(attempts), attempts.running) == (1, False)


def test_one_that_runs_learns_why_it_is_stopped(attempts: Attempts) -> None:
    first, second = begin(attempts, 1, 0), begin(attempts, 2, 1)
    assert attempts.stop(Stop(2, StopReason.CANCELLED)) is None
    assert first is not None
    assert second is not None
    assert (first.stopped, second.stopped) == (None, StopReason.CANCELLED)


def test_what_interrupts_a_slot_ends_its_attempt_only(attempts: Attempts) -> None:
    context = begin(attempts, 1, 0)
    assert attempts.interrupted(0) is context
    assert attempts.interrupted(1) is None
    assert attempts.waiting() == [2]
