"""What Redis publishes for us. It may be lost: whoever waits for a notice looks from time to time, too."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from redis.exceptions import RedisError

from zypher.clock import Clock
from zypher.engines.redis_streams.client import Channels, Client

_PAUSE_S = 1.0


class Notices:
    """Calls `heard(channel, content)` for everything that is published on the channels we asked for."""

    def __init__(self, client: Client, clock: Clock, heard: Callable[[str, bytes], None]) -> None:
        self._client = client
        self._clock = clock
        self._heard = heard
        self._names: set[str] = set()
        self._channels: Channels | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, channel: str) -> None:
        """Begin to listen to a first channel. Raises what redis-py raises."""
        self._names.add(channel)
        channels = await self._subscribe()
        self._task = asyncio.create_task(self._listen(channels), name="redis-notices")

    async def listen_to(self, channel: str) -> None:
        """Listen to this channel, too; from the next connection on if there is none now."""
        if channel not in self._names:
            self._names.add(channel)
            if self._channels is not None:
                with suppress(RedisError, OSError):
                    await self._channels.subscribe(channel)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._client.aclose()

    async def _subscribe(self) -> Channels:
        channels = self._client.pubsub()
        try:
            await channels.subscribe(*self._names)
        except BaseException:
            await channels.aclose()
            raise
        self._channels = channels
        return channels

    async def _listen(self, channels: Channels | None) -> None:
        while True:
            with suppress(RedisError, OSError):
                await self._hear(channels or await self._subscribe())
            channels = None
            await self._clock.sleep(_PAUSE_S)

    async def _hear(self, channels: Channels) -> None:
        try:
            while True:
                message = await channels.get_message(ignore_subscribe_messages=True, timeout=None)
                if message is not None:
                    channel, content = message["channel"], message["data"]
                    assert isinstance(channel, bytes)
                    assert isinstance(content, bytes)
                    self._heard(channel.decode(), content)
        finally:
            self._channels = None
            await channels.aclose()
