"""What Redis publishes for us. It may be lost: whoever waits for a notice looks from time to time, too."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from redis.exceptions import RedisError

from zypher.clock import Clock
from zypher.engines.redis_streams.client import Channels, Client
from zypher.engines.redis_streams.repeating import Repeating

_PAUSE_S = 1.0
_SUBSCRIBE_S = 3.0


class Notices:
    """Calls `heard(channel, content)` for everything that is published on the channels we asked for."""

    def __init__(self, clock: Clock, heard: Callable[[str, bytes], None]) -> None:
        self._heard = heard
        self._connect: Callable[[], Client] | None = None
        self._names: set[str] = set()
        self._client: Client | None = None  # while there is a connection
        self._channels: Channels | None = None
        self._repeating = Repeating("redis-notices", self._listen, clock, _PAUSE_S)

    async def start(self, connect: Callable[[], Client], channel: str) -> None:
        """Begin to listen to a first channel. Raises what redis-py raises."""
        self._connect = connect
        self._names.add(channel)
        await self._subscribe()
        self._repeating.start()

    async def listen_to(self, channel: str) -> None:
        """Listen to this channel, too; from the next connection on if there is none now."""
        if channel not in self._names:
            self._names.add(channel)
            if self._channels is not None:
                with suppress(RedisError, OSError):
                    await self._channels.subscribe(channel)

    async def stop(self) -> None:
        await self._repeating.stop()
        await self._disconnect()

    async def _subscribe(self) -> None:
        assert self._connect is not None
        self._client = self._connect()
        channels = self._client.pubsub()
        try:
            async with asyncio.timeout(_SUBSCRIBE_S):
                subscribed: set[str] = set()
                while new := self._names - subscribed:  # one may be added meanwhile
                    await channels.subscribe(*new)
                    subscribed |= new
        except BaseException:
            await channels.aclose()
            await self._disconnect()
            raise
        self._channels = channels

    async def _disconnect(self) -> None:
        channels, client, self._channels, self._client = self._channels, self._client, None, None
        if channels is not None:
            await channels.aclose()
        if client is not None:
            await client.aclose()

    async def _listen(self) -> None:
        if self._channels is None:
            await self._subscribe()
        channels = self._channels
        assert channels is not None
        try:
            while True:
                self._hear(await channels.get_message(ignore_subscribe_messages=True, timeout=None))
        finally:
            await self._disconnect()

    def _hear(self, message: dict[str, object] | None) -> None:
        if message is not None:
            channel, content = message["channel"], message["data"]
            assert isinstance(channel, bytes)
            assert isinstance(content, bytes)
            self._heard(channel.decode(), content)
