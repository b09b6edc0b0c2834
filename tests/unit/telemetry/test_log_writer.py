"""The thread that writes the log."""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zypher.telemetry.log_writer import LogWriter

LINE = b"x" * 999 + b"\n"


def test_lines_arrive_in_order() -> None:
    ours, theirs = os.pipe()
    writer = LogWriter(theirs)
    for number in range(1_000):
        writer.write(b"%d\n" % number)
    writer.flush()
    os.close(theirs)
    with os.fdopen(ours, "rb") as reader:
        assert [int(line) for line in reader] == list(range(1_000))
    assert writer.dropped == 0


def test_a_pipe_that_is_set_to_non_blocking_loses_nothing() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    writer = LogWriter(theirs)
    for _ in range(500):
        writer.write(LINE)
    with os.fdopen(ours, "rb") as reader:
        assert all(reader.readline() == LINE for _ in range(500))
    os.close(theirs)
    assert writer.dropped == 0


def test_an_unread_log_drops_lines_and_counts_them() -> None:
    ours, theirs = os.pipe()
    writer = LogWriter(theirs)
    for _ in range(10_000):
        writer.write(LINE)
    lines = 0
    with os.fdopen(ours, "rb") as reader:
        while lines + writer.dropped < 10_000:
            assert reader.readline() == LINE
            lines += 1
        assert 4_000 < lines < 4_500
        writer.write(LINE)
        assert reader.readline() == LINE
    os.close(theirs)


def test_a_reader_that_went_away_is_no_error() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    writer = LogWriter(theirs)
    writer.write(b"a\nb\n")
    writer.flush()
    assert writer.dropped == 2
    os.close(theirs)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Callable[[int], None]]:
    """Let no file grow beyond so many bytes, as a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_line_behind_a_cut_one_is_whole(tmp_path: Path, room: Callable[[int], None]) -> None:
    path = tmp_path / "log"
    with path.open("wb", buffering=0) as file:
        writer = LogWriter(file.fileno())

        def write(lines: bytes) -> None:
            writer.write(lines)
            writer.flush()

        write(b"one\n")
        room(6)
        write(b"two\nthree\n")
        write(b"four\n")
        room(7)
        write(b"five\n")
        room(1_000_000)
        write(b"six\n")
        write(b"seven\n")
    assert path.read_bytes() == b"one\ntw\nsix\nseven\n"
    assert writer.dropped == 4


def test_lines_that_were_dropped_elsewhere_count() -> None:
    writer = LogWriter(None)
    writer.count_dropped(7)
    assert writer.dropped == 7


def test_without_a_stream_nothing_is_written() -> None:
    writer = LogWriter(None)
    writer.write(b"a\n")
    writer.flush()
    assert writer.dropped == 0
