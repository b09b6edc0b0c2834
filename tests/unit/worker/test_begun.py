"""The memory that says which attempts have begun."""

import os

import pytest

from zypher.worker import begun
from zypher.worker.begun import BegunCells


def test_a_worker_sees_the_last_attempt_of_each_slot() -> None:
    descriptor = begun.create()
    assert begun.numbers(descriptor, 3) == []
    cells = BegunCells(os.dup(descriptor), 3)

    cells.begin(0, 7)
    cells.begin(2, 8)
    cells.begin(0, 1 << 40)

    assert begun.numbers(descriptor, 3) == [1 << 40, 0, 8]
    os.close(descriptor)


def test_a_detached_process_changes_nothing_that_is_seen() -> None:
    descriptor = begun.create()
    cells = BegunCells(os.dup(descriptor), 1)
    cells.begin(0, 1)

    cells.detach()
    cells.begin(0, 2)

    assert begun.numbers(descriptor, 1) == [1]
    os.close(descriptor)


@pytest.mark.parametrize("size_bytes", [0, 5, 1 << 40])
def test_a_file_of_another_size_harms_nothing(size_bytes: int) -> None:
    descriptor = begun.create()
    BegunCells(os.dup(descriptor), 2).begin(0, 7)

    os.ftruncate(descriptor, size_bytes)

    assert set(begun.numbers(descriptor, 2)) <= {0, 7}
    os.close(descriptor)
