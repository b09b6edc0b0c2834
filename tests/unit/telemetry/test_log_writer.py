"""The thread that writes the log."""

import os

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


def test_without_a_stream_nothing_is_written() -> None:
    writer = LogWriter(None)
    writer.write(b"a\n")
    writer.flush()
    assert writer.dropped == 0
