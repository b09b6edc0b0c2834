"""A load generator for HTTP/1.1: each connection sends its next request when it has its last answer.

What a connection does is a generator, its caller: it yields a request to send, or seconds to pause, and is handed
the answer. A caller that is not content raises `WrongAnswer`, which ends the whole run: no error is ever counted
among the successes.
"""

import asyncio
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple, cast

import uvloop

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes


Caller = Generator[bytes | float, Answer, None]


class WrongAnswer(Exception):
    """A server did not answer what it should."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of load has measured."""

    elapsed_s: float  # from the first request to the last answer
    latencies_s: Sequence[float]  # of each answer, sorted

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies_s) / self.elapsed_s

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many of the answers did not exceed."""
        return self.latencies_s[min(len(self.latencies_s) - 1, int(len(self.latencies_s) * percent / 100))] * 1000


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request; `async_mode="true"` becomes the header Async-Mode."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def expect(answer: Answer, status: int) -> bytes:
    """The body of an answer that must have this status."""
    if answer.status != status:
        raise WrongAnswer(f"{status} was expected, not {answer.status}: {answer.body[:500].decode(errors='replace')}")
    return answer.body


def run_load(port: int, callers: Sequence[Caller], limit_s: float) -> Load:
    """Let every caller work on a connection of its own until all have ended, for at most `limit_s` seconds."""
    return uvloop.run(_run(port, callers, limit_s))


async def _run(port: int, callers: Sequence[Caller], limit_s: float) -> Load:
    loop = asyncio.get_running_loop()
    crowd = _Crowd(loop.create_future(), len(callers), [])
    connections = [_Connection(caller, crowd) for caller in callers]
    try:
        for connection in connections:
            await loop.create_connection(lambda connection=connection: connection, "127.0.0.1", port)
        started = perf_counter()
        for connection in connections:
            connection.begin()
        async with asyncio.timeout(limit_s):
            await crowd.ended
        return Load(perf_counter() - started, sorted(crowd.latencies_s))
    finally:
        for connection in connections:
            connection.abort()


@dataclass(slots=True)
class _Crowd:
    """What the connections of a run share."""

    ended: asyncio.Future[None]
    working: int
    latencies_s: list[float]

    def one_ended(self) -> None:
        self.working -= 1
        if not self.working and not self.ended.done():
            self.ended.set_result(None)

    def fail(self, error: BaseException) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


class _Connection(asyncio.Protocol):
    def __init__(self, caller: Caller, crowd: _Crowd) -> None:
        self._loop = asyncio.get_running_loop()
        self._caller = caller
        self._crowd = crowd
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent_at = 0.0
        self._over = False

    def begin(self) -> None:
        try:
            self._act(next(self._caller))
        except StopIteration:
            self._end()

    def abort(self) -> None:
        self._over = True
        self._caller.close()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is not a subclass

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over:
            self._crowd.fail(WrongAnswer("The server closed a connection that was to be kept."))

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            answer = _parse(self._received)
            if answer is not None:
                self._crowd.latencies_s.append(perf_counter() - self._sent_at)
                self._received = b""
                self._go_on(answer)
        except WrongAnswer as error:
            self._crowd.fail(error)

    def _go_on(self, answer: Answer) -> None:
        try:
            self._act(self._caller.send(answer))
        except StopIteration:
            self._end()

    def _act(self, wish: bytes | float) -> None:
        if isinstance(wish, bytes):
            assert self._transport is not None
            self._sent_at = perf_counter()
            self._transport.write(wish)
        else:
            self._loop.call_later(wish, self._resume)

    def _resume(self) -> None:
        if not self._over:
            self._go_on(Answer(0, b""))

    def _end(self) -> None:
        self._over = True
        self._crowd.one_ended()


def _parse(received: bytes) -> Answer | None:
    """The answer, if it is whole."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    length = _CONTENT_LENGTH.search(received, 0, head_end)
    if length is None:
        raise WrongAnswer(f"An answer does not say its length: {received[:500].decode(errors='replace')}")
    body = received[head_end + 4 :]
    if len(body) < int(length[1]):
        return None
    return Answer(int(received[9:12]), body)
