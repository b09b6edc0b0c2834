"""A replica's process with the ends of what it ran, for tests that look at it as its worker does."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from tests.unit.worker.conftest import delivery
from zypher.prediction import Delivery, Message
from zypher.worker.attempt import Attempt, Ending, Endings
from zypher.worker.events import Events
from zypher.worker.process_replica import ProcessReplica
from zypher.worker.protocol import Succeeded

StartReplica = Callable[..., Awaitable["Running"]]


class Running:
    """A replica with its model, the events and the endings of what it ran."""

    def __init__(self, replica: ProcessReplica, endings: Endings, events: Events) -> None:
        self.replica = replica
        self.events = events
        self.ended = asyncio.ensure_future(replica.ended())
        self._endings = endings
        self._taken: list[Attempt] = []

    def begin(self, input: object, name: str = "id") -> Attempt:
        message = Message(name, "m", json.dumps(input).encode(), delivery().message.submitted_at)
        attempt = Attempt(Delivery(message, 1, name))
        self.replica.run(attempt)
        return attempt

    async def ending(self, attempt: Attempt) -> Ending:
        async with asyncio.timeout(20):
            while attempt.ending is None:
                await self._endings.take()
        return attempt.ending

    async def run(self, input: object = None) -> object:
        """The output for this input."""
        ending = await self.ending(self.begin(input))
        assert isinstance(ending, Succeeded), ending
        return json.loads(ending.output)

    async def cause(self) -> str:
        """What became of the process, once it has ended."""
        async with asyncio.timeout(20):
            return await asyncio.shield(self.ended)

    async def has_begun(self, *attempts: Attempt) -> None:
        async with asyncio.timeout(20):
            while not set(attempts) <= set(self.replica.begun()):
                await asyncio.sleep(0.005)

    async def has_trouble(self, silence_s: float) -> str:
        async with asyncio.timeout(20):
            while (trouble := self.replica.trouble(silence_s)) is None:
                self.replica.ping()
                await asyncio.sleep(0.01)
        return trouble
