"""The wire between a worker and its replicas."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zypher.model_card import ModelCard
from zypher.prediction import EventKind, FailureKind, StopReason
from zypher.settings import LogSettings
from zypher.worker.frame_reader import FrameReader
from zypher.worker.frames import BadFrame, Body, WithContent, decode_to_replica, decode_to_worker, frame, take_frame
from zypher.worker.protocol import (
    Failed,
    Load,
    Loaded,
    LoadFailed,
    Ping,
    Pong,
    Reported,
    Run,
    Stop,
    Stopped,
    Succeeded,
    ToReplica,
    ToWorker,
)

LONGEST_BYTES = 1_000_000
RUNS: list[ToReplica | ToWorker] = [Run(1, "a", 1, b""), Run(2, "b", 2, b'"x"'), Run(3, "c", 1, b"1" * 300_000)]


LARGE: list[ToReplica | ToWorker] = [Run(4, "d", 1, b"2" * 200_000), Run(5, "e", 3, b"3" * 900_000)]


def read(reader: FrameReader, stream: bytes | bytearray, step: int = 10**9) -> list[Body]:
    """The bodies in a stream that arrives in pieces of so many bytes."""
    bodies: list[Body] = []
    left = memoryview(stream)
    while left:
        count = min(len(reader.space()), len(left), step)
        reader.space()[:count] = left[:count]
        bodies += map(kept, reader.received(count))
        left = left[count:]
    return bodies


def kept(body: Body) -> Body:
    return memoryview(bytes(body)) if isinstance(body, memoryview) else body


def framed(*messages: ToReplica | ToWorker) -> bytes:
    """The bytes of all frames of these messages."""
    left = list(messages)
    pieces: list[bytes | bytearray] = []
    while left:
        pieces += take_frame(left)
    return b"".join(pieces)


def test_every_message_survives_the_way() -> None:
    card = ModelCard("m", "says m", {"type": "string"}, {}, {"A": {"type": "object"}}, 4)
    to_worker: list[ToWorker] = [
        Loaded(card),
        LoadFailed("no", "trace"),
        Succeeded(1, b"2", 0.5),
        Failed(2, FailureKind.MODEL_ERROR, "ValueError: x", "trace", 1.5),
        Stopped(3, begun=True, run_s=0.5),
        Pong("has too many open files"),
        Reported(1, EventKind.PROGRESS, b"0.5"),
    ]
    to_replica: list[ToReplica] = [
        Load("a.py:A", 3, ["/p"], "cuda:1", {"K": "v"}, 10, 32, 0.5, LogSettings(), b"mark"),
        Run(1, "a", 2, b"x"),
        Stop(1, StopReason.LEASE_LOST),
        Ping(),
    ]
    reader = FrameReader(LONGEST_BYTES)

    assert [decode_to_worker(body) for body in read(reader, frame(to_worker))] == [to_worker]
    assert [decode_to_replica(body) for body in read(reader, frame(to_replica))] == [to_replica]


@given(step=st.integers(1, 400_000))
def test_a_stream_cut_anywhere_gives_the_same_messages(step: int) -> None:
    stream = bytes(frame(RUNS[:2]) + frame(RUNS[2:]) + frame(RUNS[:1]))
    step = max(step, 50) if step < 50 else step

    bodies = read(FrameReader(LONGEST_BYTES), stream, step)

    assert [decode_to_replica(body) for body in bodies] == [RUNS[:2], RUNS[2:], RUNS[:1]]


@pytest.mark.parametrize("step", [1, 7, 8, 9])
def test_a_stream_in_tiny_pieces_gives_the_same_messages(step: int) -> None:
    stream = bytes(frame(RUNS[:2]) + frame(RUNS[:1]))
    bodies = read(FrameReader(LONGEST_BYTES), stream, step)
    assert [decode_to_replica(body) for body in bodies] == [RUNS[:2], RUNS[:1]]


@pytest.mark.parametrize("garbage", [b"\x00", b"\x00\x00\x00\x01\xff", b"z\x00", b"\xff" * 20])
def test_what_is_no_frame_is_noticed_at_its_first_byte(garbage: bytes) -> None:
    reader = FrameReader(LONGEST_BYTES)
    assert len(read(reader, frame(RUNS[:1]))) == 1

    with pytest.raises(BadFrame):
        read(reader, garbage)


def test_too_long_a_frame_is_refused_by_its_head() -> None:
    head = b"zyph" + (LONGEST_BYTES + 1).to_bytes(4)
    with pytest.raises(BadFrame):
        read(FrameReader(LONGEST_BYTES), head)


def test_small_messages_share_a_frame_and_large_ones_do_not() -> None:
    small, large = Run(1, "a", 1, b"1"), Run(2, "b", 1, b"x" * 2_000_000)
    bodies = read(FrameReader(10**9), framed(small, small, large, small, small))
    assert [decode_to_replica(body) for body in bodies] == [[small, small], [large], [small, small]]


def test_messages_share_a_frame_up_to_a_length() -> None:
    half = Run(1, "a", 1, b"x" * 100_000)
    bodies = read(FrameReader(10**9), framed(*[half] * 11))
    assert [len(decode_to_replica(body)) for body in bodies] == [10, 1]


@given(step=st.integers(1_000, 1_200_000), order=st.permutations([*RUNS, *LARGE]))
def test_large_content_among_others_arrives_whole(step: int, order: list[ToReplica | ToWorker]) -> None:
    bodies = read(FrameReader(LONGEST_BYTES), framed(*order), step)
    assert [message for body in bodies for message in decode_to_replica(body)] == order


@pytest.mark.parametrize("message", [Succeeded(1, b"x" * 131_073, 0.5), Reported(1, EventKind.OUTPUT, b"x" * 131_073)])
@pytest.mark.parametrize("step", [1, 7, 8, 15, 16, 17])
def test_large_content_in_tiny_pieces_arrives_whole(step: int, message: ToWorker) -> None:
    (body,) = read(FrameReader(LONGEST_BYTES), framed(message), step)
    assert isinstance(body, WithContent)
    assert decode_to_worker(body) == [message]


def test_large_content_is_sent_from_where_it_is() -> None:
    message = Run(1, "a", 1, b"x" * 1_000_000)
    _, content = take_frame([message])
    assert content is message.input


def test_large_content_stays_where_it_is_received() -> None:
    reader = FrameReader(LONGEST_BYTES)
    stream = framed(LARGE[1])
    assert read(reader, stream[:300_000]) == []
    before = ctypes.addressof(ctypes.c_char.from_buffer(reader.space()))

    (body,) = read(reader, stream[300_000:])

    assert isinstance(body, WithContent)
    begin = id(body.content) + bytes.__basicsize__ - 1
    assert begin <= before <= begin + len(body.content)


def test_a_long_frame_is_moved_once_while_it_is_received() -> None:
    reader = FrameReader(LONGEST_BYTES)
    stream = frame([Run(1, "a", 1, b"x" * 900_000)])
    assert read(reader, stream[:400_000]) == []
    before = ctypes.addressof(ctypes.c_char.from_buffer(reader.space()))

    assert read(reader, stream[400_000:500_000]) == []

    assert ctypes.addressof(ctypes.c_char.from_buffer(reader.space())) == before + 100_000


@pytest.mark.parametrize("length", [0, LONGEST_BYTES])
def test_content_of_a_wrong_length_is_refused_by_its_head(length: int) -> None:
    body = length.to_bytes(8) + frame([Run(1, "a", 1, b"")])[8:]
    with pytest.raises(BadFrame):
        read(FrameReader(LONGEST_BYTES), b"Zyph" + len(body).to_bytes(4) + body)


def test_content_of_a_message_that_has_none_is_refused() -> None:
    body = WithContent(bytes(frame([Pong("")])[8:]), b"x")
    with pytest.raises(BadFrame):
        decode_to_worker(body)


@pytest.mark.parametrize("messages", [[], [Succeeded(1, b"", 0.5), Succeeded(2, b"", 0.5)]])
def test_content_belongs_to_one_message(messages: list[ToReplica | ToWorker]) -> None:
    with pytest.raises(BadFrame):
        decode_to_worker(WithContent(bytes(frame(messages)[8:]), b"x"))
