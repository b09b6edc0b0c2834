import pytest

from zypher.errors import InvalidInput, MalformedBody
from zypher.gateway.envelope import input_of


def test_the_input_is_cut_out_byte_for_byte() -> None:
    assert input_of(b'{ "input" : [1,  "\xc3\xa9"]}\n') == b'[1,  "\xc3\xa9"]'


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
        input_of(body)


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
def test_a_body_that_is_no_envelope_says_what_is_wrong(body: bytes, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        input_of(body)
