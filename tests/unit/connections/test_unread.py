"""Answers that their clients do not read."""

import asyncio
from typing import cast

import pytest

from tests.fake_clock import FakeClock
from zypher.access.budget import Budget
from zypher.connections.unread import UnreadResponses

MIB = 1024 * 1024
READ_TIMEOUT_S = 30.0


class Transport:
    """Keeps what is not read yet."""

    def __init__(self, unread_bytes: int) -> None:
        self.unread_bytes = unread_bytes
        self.cut = False

    def get_write_buffer_size(self) -> int:
        return self.unread_bytes

    def get_extra_info(self, name: str) -> None:
        """It has no socket."""

    def abort(self) -> None:
        self.cut = True


class Reader:
    def __init__(self, mib: int) -> None:
        self.kept = Transport(mib * MIB)
        self.transport = cast("asyncio.Transport", self.kept)
        self.response_bytes = mib * MIB


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def budget() -> Budget:
    return Budget(100)


@pytest.fixture
def unread(budget: Budget, clock: FakeClock) -> UnreadResponses:
    return UnreadResponses(budget, clock, READ_TIMEOUT_S)


def test_what_is_unread_counts_until_it_is_read(unread: UnreadResponses, budget: Budget) -> None:
    reader = Reader(9)
    unread.add(reader)
    assert budget.used_bytes == 9 * MIB
    unread.remove(reader)
    unread.remove(reader)
    assert budget.used_bytes == 0


def test_a_reader_without_progress_is_cut_off(unread: UnreadResponses, budget: Budget, clock: FakeClock) -> None:
    reader = Reader(9)
    unread.add(reader)
    clock.advance(READ_TIMEOUT_S - 1)
    unread.look()
    assert not reader.kept.cut
    clock.advance(1)
    unread.look()
    assert reader.kept.cut
    assert budget.used_bytes == 0


def test_a_slow_reader_gets_everything(unread: UnreadResponses, clock: FakeClock) -> None:
    reader = Reader(9)
    unread.add(reader)
    for _ in range(1_000):
        clock.advance(READ_TIMEOUT_S - 1)
        reader.kept.unread_bytes -= 1
        unread.look()
    assert not reader.kept.cut


def test_a_full_budget_cuts_off_the_slowest_reader(unread: UnreadResponses, budget: Budget, clock: FakeClock) -> None:
    first, reading, last = Reader(40), Reader(40), Reader(40)
    unread.add(first)
    clock.advance(1)
    unread.add(reading)
    clock.advance(1)
    reading.kept.unread_bytes -= MIB
    unread.add(last)
    assert (first.kept.cut, reading.kept.cut, last.kept.cut) == (True, False, False)
    assert not budget.exceeded


def test_a_reader_has_a_grace_period(unread: UnreadResponses, budget: Budget) -> None:
    readers = [Reader(40) for _ in range(4)]
    for reader in readers:
        unread.add(reader)
    assert not any(reader.kept.cut for reader in readers)
    assert budget.exceeded
