"""Which attempts run together, and which wait."""

import os
from collections.abc import Iterator
from contextvars import copy_context

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from zypher.context import cancelled, current, prediction_id
from zypher.prediction import StopReason
from zypher.replica.batches.batch import Batch
from zypher.replica.batches.line import Line
from zypher.replica.batches.release import BatchLimits
from zypher.worker import begun
from zypher.worker.begun import BegunCells
from zypher.worker.protocol import BatchReason, Run, Stop, Stopped

SIZE, SLOTS = 3, 2


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def cells() -> Iterator[int]:
    descriptor = begun.create()
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def line(cells: int, watch: Watch) -> Line:
    return Line(BegunCells(os.dup(cells), SIZE * SLOTS), BatchLimits(SIZE, 1.0), watch)


def add(line: Line, *numbers: int) -> None:
    for number in numbers:
        line.add(Run(number, f"id{number}", 1, b"1"))


def form(line: Line, slot: int = 0) -> Batch | float | None:
    """In a thread or task of its own."""
    return copy_context().run(line.form, slot)


def formed(line: Line, slot: int = 0) -> list[int]:
    batch = form(line, slot)
    assert isinstance(batch, Batch)
    return numbers(batch)


def numbers(batch: Batch) -> list[int]:
    return [member.run.number for member in batch.members]


def test_it_grows_until_it_is_full(line: Line, watch: Watch) -> None:
    assert form(line) is None
    add(line, 1)
    watch.now_s = 0.25
    add(line, 2)
    assert form(line) == 0.75
    add(line, 3, 4)
    assert formed(line) == [1, 2, 3]
    assert form(line, 1) == 1.0


def test_it_goes_once_its_oldest_has_waited(line: Line, watch: Watch, cells: int) -> None:
    add(line, 1)
    watch.now_s = 0.75
    add(line, 2)
    watch.now_s = 1.0
    batch = form(line, 1)
    assert isinstance(batch, Batch)
    assert (numbers(batch), batch.reason, batch.waited_s) == ([1, 2], BatchReason.WAITED, 1.0)
    assert begun.numbers(cells, SIZE * SLOTS) == [0, 0, 0, 1, 2, 0]


def test_those_of_a_batch_that_raised_run_first_and_alone(line: Line, cells: int) -> None:
    add(line, 1, 2, 3, 4)
    batch = form(line)
    assert isinstance(batch, Batch)
    line.end(0, batch.members[:2])
    assert begun.numbers(cells, SIZE * SLOTS)[:3] == [0, 0, 3]
    assert [formed(line, slot) for slot in (0, 1)] == [[1], [2]]
    assert form(line) == 1.0
    add(line, 5, 6)
    assert formed(line) == [4, 5, 6]


def test_one_that_waits_is_dropped_by_its_stop(line: Line) -> None:
    add(line, 1, 2, 3)
    assert line.stop(Stop(2, StopReason.CANCELLED)) == Stopped(2, begun=False, run_s=0.0)
    add(line, 4)
    assert formed(line) == [1, 3, 4]


def test_a_batch_is_stopped_with_its_last_member(line: Line) -> None:
    add(line, 1, 2, 3)
    batch = form(line)
    assert isinstance(batch, Batch)
    assert line.stop(Stop(1, StopReason.CANCELLED)) is None
    batch.members[1].left = True  # its input was refused
    assert line.stop(Stop(3, StopReason.TIMED_OUT)) is batch
    line.end(0, ())
    assert line.stop(Stop(3, StopReason.TIMED_OUT)) is None


def test_the_model_sees_a_lone_prediction_and_none_of_several(line: Line, watch: Watch) -> None:
    def seen() -> tuple[object, ...]:
        batch = line.form(0)
        assert isinstance(batch, Batch)
        assert current.get() is batch
        before = cancelled()
        batch.stop(StopReason.CANCELLED)
        return prediction_id(), batch.attempt, before, cancelled()

    add(line, 1, 2, 3)
    assert copy_context().run(seen) == (None, 0, False, True)
    line.end(0, ())
    add(line, 4)
    watch.now_s = 1.0
    assert copy_context().run(seen) == ("id4", 1, False, True)


class Lines(RuleBasedStateMachine):
    """Each attempt is in one place: it waits, runs, was dropped, or has ended. None is lost, none is there twice."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptor = begun.create()
        self.watch = Watch()
        self.line = Line(BegunCells(os.dup(self.descriptor), SIZE * SLOTS), BatchLimits(SIZE, 1.0), self.watch)
        self.added = 0
        self.waiting: list[int] = []
        self.alone: set[int] = set()
        self.running: dict[int, Batch] = {}

    @rule(count=st.integers(1, 5))
    def arrive(self, count: int) -> None:
        new = list(range(self.added + 1, self.added + count + 1))
        self.added += count
        add(self.line, *new)
        self.waiting += new

    @rule(seconds=st.floats(0, 2))
    def wait(self, seconds: float) -> None:
        self.watch.now_s += seconds

    @rule(slot=st.integers(0, SLOTS - 1))
    def begin(self, slot: int) -> None:
        if slot in self.running:
            return
        batch = form(self.line, slot)
        if not isinstance(batch, Batch):
            assert (batch is None) == (not self.waiting)
            return
        assert numbers(batch)[0] == self.waiting[0], "the oldest is served first"
        assert len(batch.members) <= (1 if self.waiting[0] in self.alone else SIZE)
        self.waiting = [number for number in self.waiting if number not in numbers(batch)]
        self.running[slot] = batch

    @rule(slot=st.integers(0, SLOTS - 1), again=st.sets(st.integers(0, SIZE - 1)))
    def end(self, slot: int, again: set[int]) -> None:
        batch = self.running.pop(slot, None)
        if batch is None:
            return
        members = [member for place, member in enumerate(batch.members) if place in again]
        self.line.end(slot, members)
        self.waiting = [member.run.number for member in members] + self.waiting
        self.alone |= {member.run.number for member in members}

    @precondition(lambda self: self.added > 0)
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.added))
        answer = self.line.stop(Stop(number, StopReason.CANCELLED))
        if number in self.waiting:
            assert answer == Stopped(number, begun=False, run_s=0.0)
            self.waiting.remove(number)
            return
        batch = next((each for each in self.running.values() if number in numbers(each)), None)
        wanted = [] if batch is None else [each for each in batch.members if each.stopped is None]
        assert answer is (None if wanted else batch)

    @invariant()
    def every_attempt_is_in_one_place(self) -> None:
        assert (self.line.waiting, self.line.running) == (len(self.waiting), len(self.running))
        cells = begun.numbers(self.descriptor, SIZE * SLOTS)
        for slot, batch in self.running.items():
            assert cells[slot * SIZE :][: len(batch.members)] == numbers(batch)
        assert not set(cells) & set(self.waiting), "what waits has not begun"

    def teardown(self) -> None:
        os.close(self.descriptor)


TestLines = Lines.TestCase


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_batches_of_one_keep_their_order(alone: list[bool]) -> None:
    descriptor = begun.create()
    try:
        line = Line(BegunCells(os.dup(descriptor), SIZE), BatchLimits(SIZE, 0.0), Watch())
        add(line, *range(1, len(alone) + 1))
        served: list[int] = []
        while isinstance(batch := form(line), Batch):
            again = [m for m in batch.members if not m.alone and alone[m.run.number - 1]]
            served += [m.run.number for m in batch.members if m not in again]
            line.end(0, again)
        assert sorted(served) == list(range(1, len(alone) + 1))
    finally:
        os.close(descriptor)
