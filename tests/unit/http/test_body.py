import gzip
import zlib
from collections.abc import Iterator
from typing import cast

import pytest

from tests.fake_clock import eventually
from zypher.access.budget import Budget
from zypher.disconnect import ClientDisconnected, Disconnect
from zypher.errors import TooMuchInFlight
from zypher.http.body import Bodies, is_json
from zypher.http.errors import HttpError
from zypher.http.request import CONNECTION, Connection, Headers, Message, Request
from zypher.settings import HttpSettings

JSON = {b"content-type": b"application/json"}
GZIP = JSON | {b"content-encoding": b"gzip"}
BODY = b'{"input": "hello"}'
SETTINGS = HttpSettings(max_body_bytes=1_000_000, read_timeout_s=0.05)


class OurConnection:
    """One that looks after its deadlines itself."""

    disconnect = Disconnect()

    def __init__(self, whole: bytes | None = None) -> None:
        self._whole = whole

    def whole_body(self) -> bytes | None:
        return self._whole


def sent(
    headers: Headers, *chunks: bytes, gone: bool = False, ours: bool = True, budget: Budget | None = None
) -> Request:
    """A request whose body comes in these pieces; then its end, or the client has gone."""

    def messages() -> Iterator[Message]:
        for number, chunk in enumerate(chunks, start=1):
            yield {"type": "http.request", "body": chunk, "more_body": gone or number < len(chunks)}
        yield {"type": "http.disconnect"}

    coming = messages()

    async def receive() -> Message:
        return next(coming)

    scope: dict[str, object] = {"method": "POST", "http_version": "1.1", "path": "/predict", "query_string": b""}
    extensions = {CONNECTION: OurConnection()} if ours else {}
    return Request(scope | {"headers": list(headers.items()), "extensions": extensions}, receive, budget or Budget(256))


def bodies() -> Bodies:
    return Bodies(SETTINGS)


async def body_of(request: Request) -> bytes:
    body = await bodies().read(request)
    return body if isinstance(body, bytes) else body.whole()


async def refusal_of(request: Request) -> HttpError:
    with pytest.raises(HttpError) as refused:
        await bodies().read(request)
    return refused.value


async def test_a_body_is_read_whole() -> None:
    assert await body_of(sent(JSON, BODY[:3], BODY[3:])) == BODY
    assert await body_of(sent(JSON, BODY)) == BODY


async def test_a_body_that_is_here_is_not_received() -> None:
    request = sent(JSON)
    request.connection = cast("Connection", OurConnection(BODY))
    assert await body_of(request) == BODY
    assert request.budget.used_bytes == len(BODY)


@pytest.mark.parametrize("headers", [{b"content-length": b"1000001"} | JSON, JSON])
async def test_a_body_over_the_limit_is_refused(headers: Headers) -> None:
    refused = await refusal_of(sent(headers, b"x" * 600_000, b"x" * 400_001))
    assert refused.status == 413
    assert "1000000 bytes" in str(refused)


async def test_a_body_at_the_limit_is_read() -> None:
    assert len(await body_of(sent(JSON, b"x" * 1_000_000))) == 1_000_000


async def test_leading_zeros_of_a_length_change_nothing() -> None:
    assert await body_of(sent(JSON | {b"content-length": b"0" * 5_000 + b"18"}, BODY)) == BODY


async def test_a_length_of_many_digits_is_too_large() -> None:
    assert (await refusal_of(sent(JSON | {b"content-length": b"9" * 5_000}, BODY))).status == 413


@pytest.mark.parametrize("ours", [True, False])
async def test_a_client_that_has_gone_is_not_answered(ours: bool) -> None:
    with pytest.raises(ClientDisconnected):
        await bodies().read(sent(JSON, BODY, gone=True, ours=ours))


async def test_a_slow_body_of_another_server_is_refused() -> None:
    request = sent(JSON, ours=False)
    stalled = eventually(lambda: False, within_s=10)

    async def receive() -> Message:
        await stalled
        return {"type": "http.disconnect"}

    request._receive = receive  # pyright: ignore[reportPrivateUsage]  # a server that stalls
    assert (await refusal_of(request)).status == 408


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        (b"content-type", b"application/x-www-form-urlencoded", 415),
        (b"content-type", b"", 415),
        (b"content-encoding", b"br", 415),
        (b"content-encoding", b"gzip, gzip", 415),
        (b"transfer-encoding", b"gzip, chunked", 400),
        (b"transfer-encoding", b"identity", 400),
    ],
)
async def test_bad_headers_are_refused_before_the_body_is_read(name: bytes, value: bytes, status: int) -> None:
    assert (await refusal_of(sent(JSON | {name: value}, gone=True))).status == status


async def test_a_body_of_no_type_is_refused() -> None:
    # A page of another site can send one without asking first.
    refused = await refusal_of(sent({b"content-length": b"18"}, gone=True))
    assert refused.status == 415
    assert "Content-Type" in str(refused)


@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b"GZIP "])
async def test_a_compressed_body_is_inflated(coding: bytes) -> None:
    packed = gzip.compress(BODY)
    assert await body_of(sent(JSON | {b"content-encoding": coding}, packed[:5], packed[5:])) == BODY


async def test_a_compressed_body_may_have_several_members() -> None:
    assert await body_of(sent(GZIP, gzip.compress(BODY[:5]) + gzip.compress(BODY[5:]))) == BODY


async def test_identity_is_no_compression() -> None:
    assert await body_of(sent(JSON | {b"content-encoding": b"identity"}, BODY)) == BODY


async def test_a_little_that_inflates_to_a_lot_is_refused() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    request = sent(GZIP, bomb)
    assert (await refusal_of(request)).status == 413
    assert request.budget.used_bytes <= SETTINGS.max_body_bytes + 262_144


@pytest.mark.parametrize(
    "packed",
    [b"", b"plain", gzip.compress(BODY)[:-1], gzip.compress(BODY) + b"more", zlib.compress(BODY)],
    ids=["nothing", "plain", "truncated", "more", "zlib"],
)
async def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    assert (await refusal_of(sent(GZIP, packed))).status == 400


async def test_all_bodies_together_have_a_budget() -> None:
    budget = Budget(1)
    reader = Bodies(HttpSettings(max_body_bytes=10_000_000))
    first = sent(JSON, b"x" * 950_000, budget=budget)
    await reader.read(first)
    with pytest.raises(TooMuchInFlight) as refused:
        await reader.read(sent(JSON, b"x" * 100_000, budget=budget))
    assert refused.value.retry_after_s == 2
    first.release()
    first.release()
    assert budget.used_bytes == 0
    await reader.read(sent(JSON, b"x" * 100_000, budget=budget))


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
