"""The protocol between a worker and its replicas."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zypher.model_card import ModelCard
from zypher.prediction import FailureKind
from zypher.worker.messages import (
    BadFrame,
    Failed,
    FrameReader,
    Loaded,
    LoadFailed,
    Run,
    Succeeded,
    decode_to_replica,
    decode_to_worker,
    frame,
    frames,
)

RUNS = [Run(1, "a", b""), Run(2, "b", b'"x"'), Run(3, "c", b"1" * 100_000)]


def test_every_message_survives_the_way() -> None:
    card = ModelCard("m", "says m", {"type": "string"}, {}, {"A": {"type": "object"}}, 4)
    answers = [
        Loaded(card),
        LoadFailed("no", "trace"),
        Succeeded(1, b"2", 0.5),
        Failed(2, FailureKind.MODEL_ERROR, "ValueError: x", "trace", 1.5),
    ]
    reader = FrameReader()

    assert [decode_to_worker(body) for body in reader.feed(frame(answers))] == [answers]
    assert [decode_to_replica(body) for body in reader.feed(frame(RUNS))] == [RUNS]


@given(cuts=st.lists(st.integers(0, 100_100), max_size=8))
def test_a_stream_cut_anywhere_gives_the_same_messages(cuts: list[int]) -> None:
    stream = frame(RUNS[:2]) + frame(RUNS[2:])
    edges = [0, *sorted(cuts), len(stream)]
    reader = FrameReader()

    bodies = [body for start, end in pairwise(edges) for body in reader.feed(stream[start:end])]

    assert [decode_to_replica(body) for body in bodies] == [RUNS[:2], RUNS[2:]]


@pytest.mark.parametrize("garbage", [b"\x00", b"\x00\x00\x00\x01\xff", b"z\x00", b"\xff" * 20])
def test_what_is_no_frame_is_noticed_at_its_first_byte(garbage: bytes) -> None:
    reader = FrameReader()
    assert len(reader.feed(frame(RUNS[:1]))) == 1

    with pytest.raises(BadFrame):
        reader.feed(garbage)


def test_large_messages_have_a_frame_each() -> None:
    small, large = Run(1, "a", b"1"), Run(2, "b", b"x" * 2_000_000)
    assert len(frames([small, small])) == 1
    together = frames([large, small, large])
    assert len(together) == 3
    bodies = [body for each in together for body in FrameReader().feed(each)]
    assert [message for body in bodies for message in decode_to_replica(body)] == [large, small, large]
