"""A client of redis-py that needs no Redis."""

import asyncio

from zypher.engines.redis_streams.connection.client import ConnectionPool, Word

_SENDS_NOTHING = "A local client sends no commands."


class LocalSubscriber:
    """A subscriber whose messages a test puts."""

    def __init__(self) -> None:
        self.channels: list[str] = []
        self.messages: asyncio.Queue[dict[str, object] | Exception | None] = asyncio.Queue()
        self.closed = False

    async def subscribe(self, *channels: str) -> None:
        self.channels += channels

    async def get_message(self, **options: object) -> dict[str, object] | None:
        message = await self.messages.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def aclose(self) -> None:
        self.closed = True

    def publish(self, channel: str, content: bytes) -> None:
        self.messages.put_nowait({"channel": channel.encode(), "data": content})


class LocalClient:
    """A client with one subscriber after the other; it sends no commands."""

    def __init__(self) -> None:
        self.subscribers: list[LocalSubscriber] = []
        self.closed = 0

    async def execute_command(self, *words: Word) -> object:
        raise AssertionError(_SENDS_NOTHING)

    async def info(self, *sections: str) -> dict[str, object]:
        raise AssertionError(_SENDS_NOTHING)

    @property
    def connection_pool(self) -> ConnectionPool:
        raise AssertionError(_SENDS_NOTHING)

    def pubsub(self) -> LocalSubscriber:
        self.subscribers.append(LocalSubscriber())
        return self.subscribers[-1]

    async def aclose(self) -> None:
        self.closed += 1
