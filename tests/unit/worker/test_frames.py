"""The wire between a worker and its replicas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zypher.model_card import ModelCard
from zypher.prediction import FailureKind
from zypher.settings import LogSettings
from zypher.worker.frames import (
    BadFrame,
    FrameReader,
    decode_to_replica,
    decode_to_worker,
    frame,
    take_frame,
)
from zypher.worker.protocol import (
    Failed,
    Load,
    Loaded,
    LoadFailed,
    Ping,
    Pong,
    Run,
    Stop,
    Stopped,
    StopReason,
    Succeeded,
    ToReplica,
    ToWorker,
)

LONGEST_BYTES = 1_000_000
RUNS: list[ToReplica | ToWorker] = [Run(1, "a", 1, b""), Run(2, "b", 2, b'"x"'), Run(3, "c", 1, b"1" * 300_000)]


def read(reader: FrameReader, stream: bytes | bytearray, step: int = 10**9) -> list[bytes]:
    """The bodies in a stream that arrives in pieces of so many bytes."""
    bodies: list[bytes] = []
    while stream:
        space = reader.space()
        count = min(len(space), len(stream), step)
        space[:count] = stream[:count]
        bodies += [bytes(body) for body in reader.received(count)]
        stream = stream[count:]
    return bodies


def test_every_message_survives_the_way() -> None:
    card = ModelCard("m", "says m", {"type": "string"}, {}, {"A": {"type": "object"}}, 4)
    to_worker: list[ToWorker] = [
        Loaded(card),
        LoadFailed("no", "trace"),
        Succeeded(1, b"2", 0.5),
        Failed(2, FailureKind.MODEL_ERROR, "ValueError: x", "trace", 1.5),
        Stopped(3, begun=True, run_s=0.5),
        Pong("has too many open files"),
    ]
    to_replica: list[ToReplica] = [
        Load("a.py:A", 3, ["/p"], "cuda:1", {"K": "v"}, 10, LogSettings()),
        Run(1, "a", 2, b"x"),
        Stop(1, StopReason.LEASE_LOST),
        Ping(),
    ]
    reader = FrameReader(LONGEST_BYTES)

    assert [decode_to_worker(memoryview(body)) for body in read(reader, frame(to_worker))] == [to_worker]
    assert [decode_to_replica(memoryview(body)) for body in read(reader, frame(to_replica))] == [to_replica]


@given(step=st.integers(1, 400_000))
def test_a_stream_cut_anywhere_gives_the_same_messages(step: int) -> None:
    stream = bytes(frame(RUNS[:2]) + frame(RUNS[2:]) + frame(RUNS[:1]))
    step = max(step, 50) if step < 50 else step

    bodies = read(FrameReader(LONGEST_BYTES), stream, step)

    assert [decode_to_replica(memoryview(body)) for body in bodies] == [RUNS[:2], RUNS[2:], RUNS[:1]]


@pytest.mark.parametrize("step", [1, 7, 8, 9])
def test_a_stream_in_tiny_pieces_gives_the_same_messages(step: int) -> None:
    stream = bytes(frame(RUNS[:2]) + frame(RUNS[:1]))
    bodies = read(FrameReader(LONGEST_BYTES), stream, step)
    assert [decode_to_replica(memoryview(body)) for body in bodies] == [RUNS[:2], RUNS[:1]]


@pytest.mark.parametrize("garbage", [b"\x00", b"\x00\x00\x00\x01\xff", b"z\x00", b"\xff" * 20])
def test_what_is_no_frame_is_noticed_at_its_first_byte(garbage: bytes) -> None:
    reader = FrameReader(LONGEST_BYTES)
    assert len(read(reader, frame(RUNS[:1]))) == 1

    with pytest.raises(BadFrame):
        read(reader, garbage)


def test_too_long_a_frame_is_refused_by_its_head() -> None:
    head = b"zy" + (LONGEST_BYTES + 1).to_bytes(6, "big")
    with pytest.raises(BadFrame):
        read(FrameReader(LONGEST_BYTES), head)


def test_small_messages_share_a_frame_and_large_ones_do_not() -> None:
    small, large = Run(1, "a", 1, b"1"), Run(2, "b", 1, b"x" * 2_000_000)
    messages: list[ToReplica | ToWorker] = [small, small, large, small, small]

    framed = [bytes(take_frame(messages)) for _ in range(3)]

    assert messages == []
    bodies = [body for each in framed for body in read(FrameReader(10**9), each)]
    assert [decode_to_replica(memoryview(body)) for body in bodies] == [[small, small], [large], [small, small]]
