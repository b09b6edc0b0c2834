import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zypher.errors import InvalidInput, MalformedBody
from zypher.gateway.envelope import input_in


def test_the_input_is_cut_out_byte_for_byte() -> None:
    body = b'{ "input" : [1,  "\xc3\xa9"] }\n'
    assert body[input_in(body)] == b'[1,  "\xc3\xa9"]'


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"hello", "JSON"),
        (b'{"input": ', "JSON"),
        (b'{"input": 1,}', "JSON"),
        (b'{"input": NaN}', "JSON"),
        (b'{"input": 01}', "JSON"),
        (b'{"input": 1} x', "JSON"),
        (b'{"input": "\x00"}', "JSON"),
        (b"{'input': 1}", "JSON"),
    ],
)
def test_a_body_that_is_not_json_is_malformed(body: bytes, word: str) -> None:
    with pytest.raises(MalformedBody, match=word):
        input_in(body)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"input": "\xff"}', "UTF-8"),
        (b'{"input\xff": 1}', "UTF-8"),
        (b'{"input": "\xed\xa0\x80"}', "UTF-8"),
        (b'\xef\xbb\xbf{"input": 1}', "byte order mark"),
        ('{"input": 1}'.encode("utf-16"), "byte order mark"),
        (b"[1]", "array"),
        (b"null", "null"),
        (b"3", "int"),
        (b"{}", "missing"),
        (b'{"Input": 1}', "Input"),
        (b'{"input": 1, "more": 2}', "more"),
        (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"input": ' + b'{"a":' * 100_000, "nested"),
    ],
)
def test_a_body_that_is_no_envelope_is_refused(body: bytes, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        input_in(body)


SPACES = st.text(" \t\n\r", max_size=2)
KEYS = st.sampled_from(['"input"', '"\\u0069nput"', '"inp\\u0075t"'])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(st.sampled_from(["input", "}"]), inside, max_size=2),
).map(json.dumps)
FIELDS = st.tuples(SPACES, KEYS, SPACES, st.just(":"), SPACES, VALUES, SPACES).map("".join)


@given(FIELDS, SPACES, SPACES)
def test_the_only_field_is_found(field: str, before: str, after: str) -> None:
    body = f"{before}{{{field}}}{after}".encode()
    assert json.loads(body[input_in(body)]) == next(iter(json.loads(body).values()))


@given(st.lists(FIELDS, min_size=2, max_size=3), SPACES)
def test_a_repeated_field_is_malformed(fields: list[str], after: str) -> None:
    with pytest.raises(MalformedBody, match="more than once"):
        input_in(f"{{{','.join(fields)}}}{after}".encode())


@pytest.mark.parametrize("text", ["\\ud83d", "\\ude00", "\\ud83dx", "\\uD83D\\uD83D\\uDE00"])
def test_a_lone_surrogate_is_reported(text: str) -> None:
    with pytest.raises(InvalidInput, match="half of a character"):
        input_in(f'{{"input": "{text}"}}'.encode())
