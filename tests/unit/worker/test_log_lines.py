"""Records and text in the pipe of a replica's log."""

import os
import random
import threading
from select import PIPE_BUF

import pytest

from zypher.telemetry.log_writer import write_whole
from zypher.worker.log_lines import Kind, Line, LogLines, new_mark, pieces

MARK = new_mark()
LONG = "".join(chr(97 + number % 26) for number in range(20_000))


@pytest.fixture
def lines() -> LogLines:
    return LogLines(MARK)


def written(*records: str) -> bytes:
    return b"".join(piece for record in records for piece in pieces(MARK, record))


def record(text: str) -> Line:
    return Kind.RECORD, text.encode()


def text(line: bytes) -> Line:
    return Kind.TEXT, line


def test_records_arrive_as_they_were_written(lines: LogLines) -> None:
    assert lines.add(written("short", LONG, "a\n    b")) == [record("short"), record(LONG), record("a\n    b")]


def test_a_pipe_takes_each_piece_at_once() -> None:
    for size in range(PIPE_BUF - 100, PIPE_BUF + 100):
        assert all(len(piece) <= PIPE_BUF and piece.count(b"\n") == 1 for piece in pieces(MARK, "x" * size))


@pytest.mark.parametrize("seed", range(20))
def test_bytes_may_come_in_any_portions(lines: LogLines, seed: int) -> None:
    chance = random.Random(seed)
    data = b"one\n" + written("two", LONG) + b"half " + written("four") + b"text\n"
    found: list[Line] = []
    while data:
        size = chance.choice((1, 10, 512, 5_000))
        found += lines.add(data[:size])
        data = data[size:]
    assert found == [text(b"one"), record("two"), record(LONG), record("four"), text(b"half text")]


def test_long_records_of_several_writers_do_not_mix(lines: LogLines) -> None:
    first, second = list(pieces(MARK, LONG)), list(pieces(MARK, LONG.upper()))
    mixed = b"".join(piece for both in zip(first, second, strict=True) for piece in both)
    assert lines.add(mixed) == [record(LONG), record(LONG.upper())]


def test_long_records_of_threads_do_not_mix(lines: LogLines) -> None:
    ours, theirs = os.pipe()

    def write(letter: str) -> None:
        for _ in range(20):
            for piece in pieces(MARK, letter * 30_000):
                write_whole(theirs, piece)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    found: list[Line] = []
    while len(found) < 80:
        found += lines.add(os.read(ours, 65_536))
    for thread in threads:
        thread.join()
    os.close(ours)
    os.close(theirs)
    assert sorted(found, key=lambda line: line[1]) == [record(letter * 30_000) for letter in "abcd" for _ in range(20)]


@pytest.mark.parametrize("forged", [b"\x1e=", b"\x1e", b"\x1e0123456789abcdef=", new_mark() + b"="])
def test_a_mark_that_is_not_the_replicas_is_text(lines: LogLines, forged: bytes) -> None:
    assert lines.add(forged + b'{"level": "error"}\n') == [text(forged + b'{"level": "error"}')]


def test_two_replicas_have_two_marks() -> None:
    assert new_mark() != new_mark()


def test_a_text_without_an_end_comes_in_parts(lines: LogLines) -> None:
    assert lines.add(b"x" * 20_000) == [text(b"x" * 8_192)]
    assert lines.end() == [text(b"x" * 11_808)]


def test_a_record_behind_a_long_text_is_whole(lines: LogLines) -> None:
    (piece,) = pieces(MARK, "y" * 4_000)
    for at in range(1, len(piece)):
        lines = LogLines(MARK)
        found = [*lines.add(b"x" * 12_288 + piece[:at]), *lines.add(piece[at:] + b"\n")]
        assert record("y" * 4_000) in found
        assert b"".join(line for kind, line in found if kind is Kind.TEXT) == b"x" * 12_288


def test_a_flush_shows_a_text_without_an_end(lines: LogLines) -> None:
    assert lines.add(b"half") == []
    assert lines.flush() == [text(b"half")]
    assert lines.add(b" more\n") == [text(b" more")]


def test_a_record_whose_end_is_missing_is_cut(lines: LogLines) -> None:
    first, *_ = pieces(MARK, LONG)
    assert lines.add(first) == []
    assert lines.end() == [text(b""), (Kind.CUT, LONG[: len(first) - len(MARK) - 18].encode())]


def test_records_without_an_end_are_not_held_without_end(lines: LogLines) -> None:
    found = [line for _ in range(3_000) for line in lines.add(next(pieces(MARK, LONG)))]
    assert {kind for kind, _ in found} == {Kind.CUT}
    assert 900 < len(found) < 1_000


def test_skipped_text_is_counted_and_records_stay(lines: LogLines) -> None:
    first, *others = pieces(MARK, LONG)
    lines.add(b"whole\nhal" + first)
    assert lines.skip(others[0] + b"f\n" + b"y\n" * 100 + b"hal") == []
    assert lines.skip(b"".join(others[1:]) + written("a") + b"f\nbegin") == [record(LONG), record("a")]
    assert lines.left_out == 102
    assert lines.add(written("b") + b" and end\n") == [record("b"), text(b"begin and end")]


@pytest.mark.parametrize("seed", range(20))
def test_bytes_may_be_skipped_in_any_portions(lines: LogLines, seed: int) -> None:
    chance = random.Random(seed)
    data = (b"y\n" * 1_000 + written("a") + b"y" + written(LONG) + b"\n") * 5
    found: list[Line] = []
    while data:
        size = chance.choice((1, 10, 512, 5_000))
        found += lines.skip(data[:size])
        data = data[size:]
    assert found == [record("a"), record(LONG)] * 5
    assert lines.left_out == 5_005


def test_a_skipped_text_without_an_end_is_not_held(lines: LogLines) -> None:
    for _ in range(100):
        lines.skip(b"x" * 65_536 + written("a"))
    assert 100 <= lines.left_out < 300
    assert len(lines.end()[0][1]) <= 12_288
