"""What is printed to the streams of a replica."""

import array
import gc
import io
import signal
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from zypher.replica.line_log import LineLog, Prints
from zypher.telemetry.formats import current_prediction_id


class Kept:
    """Keeps what was printed: prediction and line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str | None, str]] = []
        self.prints = Prints(self.print)

    def print(self, text: str, prediction_id: str | None) -> None:
        self.lines.append((prediction_id, text))


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def stream(kept: Kept) -> LineLog:
    return LineLog(kept.prints, 2, "<stderr>")


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
    for name, word in (("first", "a"), ("second", "b"), ("first", "c\n"), ("second", "d\n")):
        token = current_prediction_id.set(name)  # as two tasks do
        stream.write(word)
        current_prediction_id.reset(token)
    assert kept.lines == [("first", "ac"), ("second", "bd")]


def test_the_end_of_a_prediction_shows_its_half_lines(stream: LineLog, kept: Kept, prediction: str) -> None:
    print("half", end="", file=stream)
    print("\r99 %", end="", file=LineLog(kept.prints, 1, "<stdout>"))
    kept.prints.end_prediction("another")
    assert kept.lines == []
    kept.prints.end_prediction(prediction)
    assert kept.lines == [(prediction, "half"), (prediction, "99 %")]


def test_the_end_of_a_thread_shows_its_half_line(stream: LineLog, kept: Kept) -> None:
    threads = [threading.Thread(target=stream.write, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
        thread.join()
    assert kept.lines == [(None, "a"), (None, "b")]


def test_the_end_of_all_shows_half_lines_of_living_threads(stream: LineLog, kept: Kept) -> None:
    written, ended = threading.Event(), threading.Event()

    def write() -> None:
        stream.write("half")
        written.set()
        ended.wait()

    thread = threading.Thread(target=write)
    thread.start()
    written.wait()
    kept.prints.end()
    assert kept.lines == [(None, "half")]
    ended.set()
    thread.join()
    assert kept.lines == [(None, "half")]


def test_a_forked_process_repeats_no_half_line(stream: LineLog, kept: Kept) -> None:
    stream.write("half")
    kept.prints.forget()
    stream.write("of the fork\n")
    assert kept.lines == [(None, "of the fork")]


def test_a_print_within_a_print_repeats_and_loses_nothing(kept: Kept) -> None:
    def show(text: str, prediction_id: str | None) -> None:
        kept.print(text, prediction_id)
        if len(kept.lines) == 1:
            stream.write("of a signal handler\nhalf ")

    stream = LineLog(Prints(show), 1, "<stdout>")
    for part in ("a", "b\nc", "d\n"):
        stream.write(part)
    # What the handler left without an end is glued, as on any stream.
    assert [text for _, text in kept.lines] == ["ab", "of a signal handler", "chalf d"]


def test_a_storm_of_signal_handlers_that_print_costs_nothing(stream: LineLog, kept: Kept) -> None:
    def tick(_number: int, _frame: object) -> None:
        print("tick", file=stream)

    before = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        for number in range(2_000):
            print(number, "of many", file=stream)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    text = " ".join(line for _, line in kept.lines)
    assert "tick" in text
    assert text.count("of many") == 2_000


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
    for _ in range(100):
        stream.write("x" * 1_000)
    assert [len(message) for _, message in kept.lines] == [66_000]


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
    buffer: Any = stream.buffer
    streams: list[tuple[Any, str]] = [(stream, "w"), (buffer, "wb"), (buffer.raw, "wb")]
    for each, mode in streams:
        assert (each.fileno(), each.name, each.mode, each.seekable(), each.closed) == (
            2,
            "<stderr>",
            mode,
            False,
            False,
        )


def test_bytes_below_the_buffer_stay_in_order(stream: LineLog, kept: Kept) -> None:
    raw: Any = cast("Any", stream.buffer).raw
    print("a", end="", file=stream)
    assert raw.write(b"b") == 1
    with io.BufferedWriter(raw) as writer:
        writer.write(b"c\n")
    print("more", file=io.TextIOWrapper(raw, write_through=True))
    assert kept.lines == [(None, "abc"), (None, "more")]


def test_what_is_no_bytes_is_refused(stream: LineLog, kept: Kept) -> None:
    buffer: Any = stream.buffer
    assert buffer.write(array.array("B", b"a\n")) == 2
    for wrong in (5, "text"):
        with pytest.raises(TypeError):
            buffer.write(wrong)
    assert kept.lines == [(None, "a")]
