"""Lets time pass in a Redis: what it keeps grows older, without anybody waiting."""

import asyncio
import re
from collections.abc import Callable, Sequence

from tests.fake_clock import FakeClock, FakeTimer
from tests.redis_client import RedisClient

_DEADLINES = b":deadlines"
_INSTANTS = re.compile(rb":(delayed(:\w+)?|alive|deadlines)$")
_STREAM = re.compile(rb":stream(:\w+)?$")


class RedisClock(FakeClock):
    """A fake clock whose `advance` ages all that a Redis keeps as well.

    Redis answers in real time, so what is to happen in a moment happens without `advance`, too.
    """

    def __init__(self, clients: Sequence[RedisClient]) -> None:
        super().__init__()
        self._clients = clients

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> FakeTimer:
        timer = super().call_later(delay_s, callback)
        asyncio.get_running_loop().call_later(delay_s, self._due, timer)
        return timer

    def advance(self, seconds: float) -> None:
        for client in self._clients:
            age(client, round(seconds * 1000))
        super().advance(seconds)

    def _due(self, timer: FakeTimer) -> None:
        callback, timer.callback = timer.callback, None
        if callback is not None:
            callback()


def age(client: RedisClient, milliseconds: int) -> None:
    """Make every expiry, lease, delay, deadline and presence older by so much."""
    for key in client.keys("*"):
        if _INSTANTS.search(key):
            for member in client.zrange(key, 0, -1):
                client.zincrby(key, -milliseconds, member)
                if key.endswith(_DEADLINES):
                    client.execute_command(
                        "HINCRBY", key.removesuffix(_DEADLINES) + b":p:" + member, "deadline", -milliseconds
                    )
        if _STREAM.search(key) and client.execute_command("TYPE", key) == b"stream":
            _age_leases(client, key.decode(), milliseconds)
        left_ms = client.pttl(key)
        if left_ms >= 0:
            client.pexpire(key, max(0, left_ms - milliseconds))


def _age_leases(client: RedisClient, stream: str, milliseconds: int) -> None:
    for lease in client.xpending_range(stream, "workers", "-", "+", 10_000):
        idle_ms, entry, consumer = lease["time_since_delivered"], lease["message_id"], lease["consumer"]
        assert isinstance(idle_ms, int)
        assert isinstance(entry, bytes)
        assert isinstance(consumer, bytes)
        client.xclaim(stream, "workers", consumer.decode(), 0, [entry], idle=idle_ms + milliseconds, justid=True)
