"""Sends commands to Redis in batches: those of one turn of the event loop go out together."""

import asyncio
import logging
from collections.abc import Sequence

from redis.exceptions import NoScriptError

from zypher.clock import Clock
from zypher.engines.redis_streams.connection.client import Word
from zypher.engines.redis_streams.connection.command import Command
from zypher.engines.redis_streams.connection.command_queue import CommandQueue
from zypher.engines.redis_streams.connection.exchange import Exchange
from zypher.engines.redis_streams.connection.failures import UnusableData, affects_all, describe
from zypher.engines.redis_streams.format import check_format
from zypher.engines.redis_streams.scripts import Script
from zypher.engines.refusals import STOPPING, stopping
from zypher.errors import EngineUnavailable

logger = logging.getLogger(__name__)

_FIRST_RETRY_S = 0.05
_RETRY_S = 0.5


class Pipeline:
    """Sends commands in the order of the calls.

    Once Redis cannot be reached every command is refused at once, until a probe twice a second succeeds; those that
    are `retried` are held meanwhile.
    """

    def __init__(self, address: str, prefix: str, clock: Clock) -> None:
        self.address = address
        self.reconnects = 0  # so far
        self.problem: str | None = None  # why Redis cannot do what any caller wants, a sentence
        self._exchange: Exchange | None = None
        self._prefix = prefix
        self._clock = clock
        self._away = False
        self._closing = True
        self._queues: dict[bool, CommandQueue] = {}  # by whether their commands are `copied`
        self._held: list[Command] = []
        self._known: set[str] = set()  # names of the scripts that Redis was sent
        self._reconnecting: asyncio.Task[None] | None = None

    @property
    def refused(self) -> bool:
        """Whether Redis can be reached but refused something that is to be tried again."""
        return not self._away and (self.problem is not None or bool(self._held))

    def open(self, exchange: Exchange, copied: Exchange | None = None) -> None:
        """Send by this exchange from now on, or by another what is to be copied."""
        self._exchange = exchange
        queue = CommandQueue(exchange, self._send_batch, self._clock)
        self._queues = {False: queue, True: CommandQueue(copied, self._send_batch, self._clock) if copied else queue}
        self._closing = False

    def run(
        self,
        script: Script,
        keys: Sequence[Word],
        arguments: Sequence[Word],
        *,
        retried: bool = False,
        copied: bool = False,
    ) -> asyncio.Future[object]:
        """Run a script. Raises `EngineUnavailable`, now or as the answer.

        `retried`: send it until Redis accepts it. `copied`: answer once the replicas have it that are to have it.
        """
        words = ("EVALSHA", script.digest, len(keys), *keys, *arguments)
        command = Command(words, script, retried=retried, copied=copied)
        if script.name not in self._known:  # to ask by its digest first would take twice as long
            self._known.add(script.name)
            command.send_text()
        return self._send(command)

    def send(self, *words: Word) -> asyncio.Future[object]:
        """Send a plain command. Raises `EngineUnavailable`, now or as the answer."""
        return self._send(Command(words))

    def send_held(self) -> None:
        """Send what was held, once Redis accepts commands again."""
        self.problem = None
        held, self._held = self._held, []
        self._queues[False].add_first(held)

    def disconnected(self, error: Exception) -> EngineUnavailable:
        """Refuse every command until a probe succeeds; returns the error to raise."""
        self.problem = describe(error, self.address)
        self._known.clear()
        if not self._closing:
            if not self._away:
                logger.warning("the engine is away", extra={"problem": self.problem})
            self._away = True
            self._begin_reconnect()
        return EngineUnavailable(self.problem)

    async def close(self) -> None:
        """Return once all that can be answered is; what is held fails."""
        self._closing = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            await asyncio.wait({self._reconnecting})
        if self._queues and not self._away:
            self.send_held()
        for queue in self._queues.values():
            await queue.close()
        _fail(self._held, STOPPING)
        self._held = []

    def _send(self, command: Command) -> asyncio.Future[object]:
        if self._closing:
            raise stopping()
        if not self._away:
            self._queues[command.copied].add(command)
        elif command.retried:
            self._held.append(command)
        else:
            raise EngineUnavailable(self.problem or STOPPING)
        return command.answer

    async def _send_batch(self, exchange: Exchange, batch: list[Command]) -> None:
        try:
            answers = await exchange([command.words for command in batch])
            answered = list(zip(batch, answers, strict=True))
        except Exception as error:  # whatever it is, each caller must get an answer
            self._unanswered(batch, error)
            return
        for command, answer in answered:
            if isinstance(answer, Exception):
                self._refuse(command, answer)
            else:
                command.resolve(answer)

    def _refuse(self, command: Command, error: Exception) -> None:
        """Redis answered a command with an error: send it again, hold it or fail it."""
        if command.script is not None and isinstance(error, NoScriptError):
            command.send_text()
            self._queues[command.copied].add(command)
            return
        if isinstance(error, EngineUnavailable):  # not of Redis, but of what waits for its replicas
            command.resolve(error)
            return
        problem = describe(error, self.address)
        if affects_all(error):
            self.problem = problem
        if command.retried and not self._closing:
            self._held.append(command)
        else:
            command.resolve(EngineUnavailable(problem) if affects_all(error) else UnusableData(problem))

    def _unanswered(self, batch: list[Command], error: Exception) -> None:
        """A batch has no answers: hold or fail it and all that waits behind it."""
        problem = str(self.disconnected(error))
        commands = batch + [command for queue in self._queues.values() for command in queue.take()]
        if not self._closing:
            self._held += [command for command in commands if command.retried]
            commands = [command for command in commands if not command.retried]
        _fail(commands, problem)

    def _begin_reconnect(self) -> None:
        if self._reconnecting is None or self._reconnecting.done():
            self._reconnecting = asyncio.create_task(self._reconnect(), name="redis-reconnect")

    async def _reconnect(self) -> None:
        delay_s = _FIRST_RETRY_S
        while True:
            await self._clock.sleep(delay_s)
            try:
                await self._probe()
            except Exception as error:  # the next caller gets it as the problem
                self.problem = describe(error, self.address)
                delay_s = min(_RETRY_S, 2 * delay_s)
            else:
                self._away = False
                self.reconnects += 1
                logger.info("the engine is back", extra={"engine": self.address})
                self.send_held()
                return

    async def _probe(self) -> None:
        """Raises what keeps Redis from being used."""
        assert self._exchange is not None
        (answer,) = await self._exchange([("HGET", self._prefix, "format")])
        if isinstance(answer, Exception):
            raise answer
        check_format(answer, self._prefix, self.address)


def _fail(commands: Sequence[Command], problem: str) -> None:
    for command in commands:
        command.resolve(EngineUnavailable(problem))
