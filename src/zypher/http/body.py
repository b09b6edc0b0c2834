"""The body of a POST: as JSON, perhaps compressed, within limits of size and time."""

import asyncio
import zlib
from collections.abc import Iterator

from zypher.gateway.received_body import ReceivedBody
from zypher.http.errors import HttpError
from zypher.http.request import Headers, Request
from zypher.settings import HttpSettings

_CHARSETS = {b"utf-8", b"utf8", b"us-ascii"}
_CODINGS = frozenset({b"content-encoding", b"transfer-encoding"})
_CHUNK_BYTES = 262_144  # of inflated text in one turn of the event loop


class Bodies:
    """Reads bodies within the limits of the settings."""

    def __init__(self, settings: HttpSettings) -> None:
        self._max_bytes = settings.max_body_bytes
        self._read_timeout_s = settings.read_timeout_s

    async def read(self, request: Request) -> bytes | ReceivedBody:
        """The whole body, inflated; bytes, if all of it was here.

        Raises `ClientDisconnected`, `TooMuchInFlight` and, early, `HttpError`.
        """
        headers = request.headers
        _check_type(headers.get(b"content-type", b""))
        inflate = not _CODINGS.isdisjoint(headers) and _is_gzip(headers)
        whole = None if inflate else request.whole_body()
        if whole is not None:
            return self._held(request, whole)
        if _number(headers.get(b"content-length", b"")) > self._max_bytes:
            raise self._too_large()
        request.budget.check()
        if request.connection is not None:  # it has a deadline for each body, without a timer
            return await self._received(request, inflate=inflate)
        try:
            async with asyncio.timeout(self._read_timeout_s):
                return await self._received(request, inflate=inflate)
        except TimeoutError:
            raise HttpError(408, "The body did not arrive in time; send it again, without pauses.") from None

    async def _received(self, request: Request, *, inflate: bool) -> ReceivedBody:
        if inflate:
            return await self._inflated(request)
        body = ReceivedBody()
        while request.more_body:
            body.add(self._held(request, await request.chunk()))
        return body

    async def _inflated(self, request: Request) -> ReceivedBody:
        stream = _Gzip()
        body = ReceivedBody()
        while request.more_body:
            for chunk in stream.chunks(await request.chunk()):
                body.add(self._held(request, chunk))
                await asyncio.sleep(0)
        stream.check_end()
        return body

    def _held(self, request: Request, chunk: bytes) -> bytes:
        """The piece, counted."""
        if request.hold(len(chunk)) > self._max_bytes:
            raise self._too_large()
        return chunk

    def _too_large(self) -> HttpError:
        return HttpError(
            413, f"The body is larger than {self._max_bytes} bytes, the setting max_body_bytes; send a smaller one."
        )


class _Gzip:
    """The text of a gzip stream in bites, so that a little that inflates to a lot is found out early."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    def chunks(self, packed: bytes) -> Iterator[bytes]:
        while packed:
            if self._stream.eof:  # another member follows (RFC 1952 section 2.2)
                self._stream = zlib.decompressobj(wbits=31)
            try:
                yield self._stream.decompress(packed, _CHUNK_BYTES)
            except zlib.error:
                raise HttpError(400, "The body is not valid gzip; compress it again, or send it as it is.") from None
            packed = self._stream.unconsumed_tail or self._stream.unused_data

    def check_end(self) -> None:
        if not self._stream.eof:
            raise HttpError(400, "The gzip of the body ends too early; compress it again, or send it as it is.")


def _check_type(content_type: bytes) -> None:
    if content_type != b"application/json" and not is_json(content_type):
        raise HttpError(415, "The body must be JSON in UTF-8; add the header Content-Type: application/json.")


def _is_gzip(headers: Headers) -> bool:
    """Whether the body is compressed. Raises `HttpError` for what else may be done to it."""
    if headers.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
        raise HttpError(400, "Transfer-Encoding must be chunked and nothing else; send the body as it is.")
    coding = headers.get(b"content-encoding", b"").strip().lower()
    if coding not in (b"", b"identity", b"gzip", b"x-gzip"):
        raise HttpError(415, "This Content-Encoding is not supported; use gzip, or none.")
    return coding.endswith(b"gzip")


def _number(digits: bytes) -> int:
    """A Content-Length; of one that is longer than any body no more than that it is."""
    if len(digits) > 18:
        digits = digits.strip().lstrip(b"0")[:19]
    return int(digits) if digits.isdigit() else 0


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type names JSON, in UTF-8."""
    essence, *parameters = content_type.lower().split(b";")
    kind, _, subtype = essence.strip().partition(b"/")
    if subtype != b"json" and not subtype.endswith(b"+json"):
        return False
    charsets = [value for name, _, value in (part.partition(b"=") for part in parameters) if name.strip() == b"charset"]
    return kind == b"application" and all(charset.strip(b' "') in _CHARSETS for charset in charsets)
