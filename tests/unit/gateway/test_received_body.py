"""Whatever a body is, a text that is taken out of it is the input that the general way finds there."""

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.missing import missing
from zypher.connections.heap import set_mmap_threshold
from zypher.errors import InvalidInput, MalformedBody
from zypher.gateway.envelope import input_in
from zypher.gateway.received_body import ReceivedBody
from zypher.model_card import ModelCard
from zypher.models.schema import InputValidator

VALIDATOR = InputValidator(ModelCard("m", "", {"type": "string"}, {}, {}, 1))
FRAGMENTS = st.sampled_from(
    [
        *(b"a", b" ", b'"', b"\\", b"}", b"{", b",", b":", b"\n", b"\x00", b"\x1f", b"\x7f", b"\xc3\xa9", b"\xff"),
        *(b'\\"', b"\\\\", b"\\n", b"\\/", b"\\x", b"\\u00e9", b"\\u12", b"\\ud83d", b"\\ude00", b"\\ud83d\\ude00"),
        *(b'"}', b'", "input": "', b'"input": ', b"\xed\xa0\x80"),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=6).map(b"".join)
BEFORE = st.sampled_from(
    [b'{"input": "', b'{"input":"', b'{"input":  "', b'{ "input": "', b'{"Input": "', b'{"input": ']
)
AFTER = st.sampled_from([b'"}', b'"} ', b'" }', b'"', b'"}}', b"}"])
MALLINFO = ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"]
BODIES = st.tuples(BEFORE, TEXTS, AFTER).map(b"".join)


def general(body: bytes) -> bytes | None:
    """The input that fits, None when it is refused."""
    try:
        input = body[input_in(body)]
        VALIDATOR.check(input)
    except (InvalidInput, MalformedBody):
        return None
    return input


def cut(body: bytes, at: int) -> ReceivedBody:
    return ReceivedBody(body[:at], body[at:])


@given(BODIES, st.integers(0, 20))
def test_a_text_is_the_input_of_the_general_way(body: bytes, at: int) -> None:
    received = cut(body, at)
    text = received.take_text()
    if text is None:
        assert received.whole() == body
        assert len(received) == len(body)
    else:
        assert text == general(body)


@given(TEXTS, st.sampled_from([b'{"input": "', b'{"input":"']), st.integers(12, 20))
def test_each_ascii_text_of_the_usual_envelope_is_taken(text: bytes, before: bytes, at: int) -> None:
    body = before + text + b'"}'
    if body.isascii():
        assert cut(body, at).take_text() == general(body)


@pytest.mark.parametrize("body", [b'{"input": 1}', b'{"input": "\xc3\xa9"}', b'{"input": "a"} ', b'{"input": "', b""])
def test_what_is_no_ascii_text_is_left(body: bytes) -> None:
    received = ReceivedBody(body)
    assert received.take_text() is None
    assert received.whole() == body


def test_a_text_that_would_hold_the_event_loop_is_left() -> None:
    received = ReceivedBody(b'{"input": "' + b"x" * 16_777_216 + b'"}')
    assert received.take_text() is None


def test_a_body_goes_on_after_a_look() -> None:
    received = ReceivedBody(b'{"input": "a"}')
    assert received.whole() == b'{"input": "a"}'
    received.add(b" ")
    assert received.whole() == b'{"input": "a"} '


@pytest.mark.parametrize("size", [131_071, 131_072, 131_073, 524_288, 524_289, 2_000_000])
def test_a_body_of_any_size_is_taken_from_pieces(size: int) -> None:
    body = b'{"input": "' + b"x" * (size - 13) + b'"}'
    received = ReceivedBody(*(body[at : at + 65_536] for at in range(0, size, 65_536)))
    assert len(received) == size
    assert received.whole() == body
    assert received.take_text() == body[10:-1]


def test_a_body_that_moved_goes_on_after_a_look() -> None:
    received = ReceivedBody(b" " * 200_000)
    assert received.whole() == b" " * 200_000
    received.add(b"[")
    assert received.whole() == b" " * 200_000 + b"["


def test_bodies_that_grow_together_leave_no_holes() -> None:
    set_mmap_threshold()
    before = blocks_with_own_pages()
    bodies = [ReceivedBody() for _ in range(200)]
    for _ in range(3):
        for body in bodies:
            body.add(b" " * 65_536)
    own = blocks_with_own_pages() - before
    assert own > len(bodies) / 2  # the others fill what lies free in the heap


class Mallinfo(ctypes.Structure):
    """What mallinfo2(3) returns."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in MALLINFO)
    hblks: int


def blocks_with_own_pages() -> int:
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        missing("Only glibc 2.33 or later counts the blocks that have pages of their own.")
    mallinfo2.restype = Mallinfo
    return mallinfo2().hblks
