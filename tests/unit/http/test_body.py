import pytest

from zypher.http.body import is_json, parse_input, read_input
from zypher.http.hangup import Hangup, HungUp
from zypher.http.problems import Problem
from zypher.http.request import Headers, Request

JSON = {b"content-type": b"application/json"}
BODY = b'{"input": "hello"}'


def sent(headers: Headers, *pieces: bytes, gone: bool = False) -> Request:
    """A request whose body comes in these pieces; then its end, or the client has gone."""
    coming = iter(pieces)

    def come() -> None:
        piece = next(coming, None)
        if piece is not None:
            request.feed(piece)
        elif gone:
            request.hangup.happen()
        else:
            request.end()

    request = Request("POST", "/predict", b"", headers, Hangup(), come)
    return request


async def test_the_input_is_cut_out_byte_for_byte() -> None:
    assert await read_input(sent(JSON, b'{ "input" :', b' [1,  "\xc3\xa9"]', b"}\n"), 100) == b'[1,  "\xc3\xa9"]'


@pytest.mark.parametrize(
    "headers",
    [
        {b"content-length": b"101"} | JSON,
        JSON,
    ],
)
async def test_a_body_over_the_limit_is_refused(headers: Headers) -> None:
    with pytest.raises(Problem, match="100 bytes") as refused:
        await read_input(sent(headers, b"x" * 60, b"x" * 41), 100)
    assert refused.value.status == 413


async def test_a_body_at_the_limit_is_read() -> None:
    assert await read_input(sent({b"content-length": b"18"} | JSON, BODY), len(BODY)) == b'"hello"'


async def test_a_client_that_has_gone_is_not_answered() -> None:
    with pytest.raises(HungUp):
        await read_input(sent(JSON, BODY, gone=True), 100)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        (b"content-type", b"application/x-www-form-urlencoded", 415),
        (b"content-type", b"", 415),
        (b"content-encoding", b"gzip", 415),
        (b"transfer-encoding", b"gzip, chunked", 400),
    ],
)
async def test_what_the_headers_say_is_refused_before_the_body_is_read(name: bytes, value: bytes, status: int) -> None:
    with pytest.raises(Problem) as refused:
        await read_input(sent(JSON | {name: value}, gone=True), 100)
    assert refused.value.status == status


async def test_a_body_of_no_type_is_refused() -> None:
    # A page of another site can send one without asking first.
    with pytest.raises(Problem, match="Content-Type") as refused:
        await read_input(sent({b"content-length": b"18"}, gone=True), 100)
    assert refused.value.status == 415


async def test_two_lengths_are_refused() -> None:
    with pytest.raises(Problem, match="exclude each other"):
        await read_input(sent(JSON | {b"content-length": b"18", b"transfer-encoding": b"chunked"}, BODY), 100)


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"Application/JSON ; Charset=UTF-8",
        b'application/json; charset="utf-8"; x=y',
        b"application/problem+json",
        b"application/json;",
    ],
)
def test_json_has_many_names(content_type: bytes) -> None:
    assert is_json(content_type)


@pytest.mark.parametrize(
    "content_type", [b"text/json", b"application/jsonp", b"application/json; charset=latin-1", b"json", b";", b"+json"]
)
def test_other_types_are_not_json(content_type: bytes) -> None:
    assert not is_json(content_type)


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"", 400, "empty"),
        (b"  ", 400, "empty"),
        (b"hello", 400, "JSON"),
        (b'{"input": ', 400, "JSON"),
        (b'{"input": 1,}', 400, "JSON"),
        (b'{"input": NaN}', 400, "JSON"),
        (b'{"input": 01}', 400, "JSON"),
        (b'{"input": 1} x', 400, "JSON"),
        (b'{"input": "\x00"}', 400, "JSON"),
        (b"{'input': 1}", 400, "JSON"),
        (b'{"input": "\xff"}', 422, "UTF-8"),
        (b'{"input\xff": 1}', 422, "UTF-8"),
        (b'{"input": "\xed\xa0\x80"}', 422, "UTF-8"),
        (b'\xef\xbb\xbf{"input": 1}', 422, "byte order mark"),
        ('{"input": 1}'.encode("utf-16"), 422, "byte order mark"),
        (b"[1]", 422, "array"),
        (b"null", 422, "null"),
        (b"3", 422, "int"),
        (b"{}", 422, "missing"),
        (b'{"Input": 1}', 422, "Input"),
        (b'{"input": 1, "more": 2}', 422, "more"),
        (b'{"input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422, "nested"),
        (b'{"input": ' + b'{"a":' * 100_000, 422, "nested"),
    ],
)
def test_a_body_that_is_no_input_is_refused_with_a_reason(body: bytes, status: int, word: str) -> None:
    with pytest.raises(Problem) as refused:
        parse_input(body)
    assert refused.value.status == status
    assert word in str(refused.value)


def test_of_a_repeated_input_the_last_counts() -> None:
    assert parse_input(b'{"input": 1, "\\u0069nput": 2}') == b"2"
