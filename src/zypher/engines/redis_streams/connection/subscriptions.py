"""Receives what Redis publishes. A message may be lost, so its waiters must not rely on it alone."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from redis.exceptions import RedisError

from zypher.engines.redis_streams.connection.client import Client, Subscriber
from zypher.engines.redis_streams.connection.exchange import CONNECT_S


class Subscriptions:
    """The channels that this process subscribes to, over one connection of their own."""

    def __init__(self) -> None:
        self._make_client: Callable[[], Client] | None = None
        self._channels: set[str] = set()
        self._client: Client | None = None  # while there is a connection
        self._subscriber: Subscriber | None = None

    async def open(self, make_client: Callable[[], Client], *channels: str) -> None:
        """Subscribe to the first channels. Raises what redis-py raises."""
        self.prepare(make_client, *channels)
        await self._connect()

    def prepare(self, make_client: Callable[[], Client], *channels: str) -> None:
        """Subscribe to the first channels with the first `receive`."""
        self._make_client = make_client
        self._channels.update(channels)

    async def add(self, *channels: str) -> None:
        """Subscribe to these channels, too; from the next connection on if there is none now."""
        new = [channel for channel in channels if channel not in self._channels]
        if new:
            self._channels.update(new)
            if self._subscriber is not None:
                with suppress(RedisError, OSError):
                    await self._subscriber.subscribe(*new)

    async def receive(self) -> tuple[str, bytes]:
        """The next message: its channel and content. Needs `open` or `prepare` first.

        After an error of redis-py or a cancellation the connection is closed; the next call makes another one.
        """
        if self._subscriber is None:
            await self._connect()
        subscriber = self._subscriber
        assert subscriber is not None
        try:
            message = None
            while message is None:
                message = await subscriber.get_message(ignore_subscribe_messages=True, timeout=None)
        except BaseException:
            await self.close()
            raise
        return cast(bytes, message["channel"]).decode(), cast(bytes, message["data"])

    async def close(self) -> None:
        """Close the connection; may happen twice."""
        subscriber, client, self._subscriber, self._client = self._subscriber, self._client, None, None
        if subscriber is not None:
            await subscriber.aclose()
        if client is not None:
            await client.aclose()

    async def _connect(self) -> None:
        assert self._make_client is not None
        self._client = self._make_client()
        subscriber = self._client.pubsub()
        try:
            async with asyncio.timeout(CONNECT_S):
                subscribed: set[str] = set()
                while new := self._channels - subscribed:  # one may be added meanwhile
                    await subscriber.subscribe(*new)
                    subscribed |= new
        except BaseException:
            await subscriber.aclose()
            await self.close()
            raise
        self._subscriber = subscriber
