"""What is printed to the streams of a replica."""

import gc
import io
import threading
from collections.abc import Iterator

import pytest

from zypher.replica.log import LineLog, WorkerLines
from zypher.settings import LogSettings
from zypher.telemetry.formats import current_prediction_id


class Kept(WorkerLines):
    """Keeps what was printed: prediction and line."""

    def __init__(self) -> None:
        super().__init__(LogSettings())
        self.lines: list[tuple[str | None, str]] = []

    def print(self, text: str, prediction_id: str | None) -> None:
        self.lines.append((prediction_id, text))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def stream(kept: Kept) -> LineLog:
    return LineLog(kept, 2)


@pytest.fixture
def prediction() -> Iterator[str]:
    token = current_prediction_id.set("abc")
    yield "abc"
    current_prediction_id.reset(token)


def test_a_print_has_the_id_of_the_running_prediction(stream: LineLog, kept: Kept, prediction: str) -> None:
    print("loss", 0.5, "é", file=stream)
    assert kept.lines == [(prediction, "loss 0.5 é")]


def test_outside_a_prediction_there_is_no_id(stream: LineLog, kept: Kept) -> None:
    print("loading\nloaded", file=stream)
    assert kept.lines == [(None, "loading"), (None, "loaded")]


def test_blank_lines_are_left_out(stream: LineLog, kept: Kept) -> None:
    print("\n  \na", file=stream)
    assert kept.lines == [(None, "a")]


def test_parts_of_a_line_are_gathered(stream: LineLog, kept: Kept) -> None:
    for part in ("a", "b", "c"):
        print(part, end="", file=stream)
    assert kept.lines == []
    print(file=stream)
    assert kept.lines == [(None, "abc")]


def test_a_line_belongs_to_the_prediction_that_began_it(stream: LineLog, kept: Kept) -> None:
    current_prediction_id.set("first")
    print("half", end="", file=stream)
    current_prediction_id.set("second")
    print("whole", file=stream)
    current_prediction_id.set(None)
    assert kept.lines == [("first", "half"), ("second", "whole")]


def test_a_flush_shows_half_a_line(stream: LineLog, kept: Kept) -> None:
    print("half", end="", flush=True, file=stream)
    assert kept.lines == [(None, "half")]


def test_of_a_progress_bar_the_last_state_is_kept(stream: LineLog, kept: Kept) -> None:
    for percent in range(0, 101, 25):
        print(f"\r{percent} %", end="", flush=True, file=stream)
    print(file=stream)
    print("dos\r", file=stream)
    assert kept.lines == [(None, "100 %"), (None, "dos")]


def test_a_line_without_end_is_not_held_without_end(stream: LineLog, kept: Kept) -> None:
    for _ in range(10):
        stream.write("x" * 1_000)
    assert [len(message) for _, message in kept.lines] == [9_000]


def test_a_closed_stream_takes_prints_all_the_same(stream: LineLog, kept: Kept) -> None:
    stream.write("rest")
    stream.close()
    print("more", file=stream)
    assert kept.lines == [(None, "rest"), (None, "more")]


def test_a_wrapper_around_the_stream_does_not_end_it(stream: LineLog, kept: Kept) -> None:
    io.TextIOWrapper(stream.buffer, encoding="utf-8").write("wrapped\n")  # and is collected
    gc.collect()
    print("more", file=stream)
    assert kept.lines == [(None, "wrapped"), (None, "more")]


def test_bytes_that_are_no_text_are_shown(stream: LineLog, kept: Kept) -> None:
    stream.buffer.write(b"\xff\n")
    assert kept.lines == [(None, "\\xff")]


def test_threads_do_not_mix_their_lines(stream: LineLog, kept: Kept) -> None:
    both = threading.Barrier(2)

    def write(name: str) -> None:
        current_prediction_id.set(name)
        for _ in range(50):
            both.wait()
            stream.write(name)
            both.wait()
            stream.write(name + "\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept.lines) == [("a", "aa")] * 50 + [("b", "bb")] * 50


def test_it_is_a_stream_like_any_other(stream: LineLog) -> None:
    assert (stream.writable(), stream.isatty(), stream.encoding) == (True, False, "utf-8")
    assert stream.fileno() == 2
