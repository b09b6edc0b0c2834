"""The way to Redis: what is asked in one turn of the event loop goes out together."""

import asyncio
import logging
from collections.abc import Sequence

from redis.exceptions import NoScriptError

from zypher.clock import Clock
from zypher.engines.engine import STOPPING
from zypher.engines.redis_streams.client import Client, Word
from zypher.engines.redis_streams.exchange import Exchange
from zypher.engines.redis_streams.format import check_format
from zypher.engines.redis_streams.scripts import Script
from zypher.engines.redis_streams.troubles import concerns_all, sentence
from zypher.errors import EngineUnavailable

logger = logging.getLogger(__name__)

_MOST = 512  # commands that are sent together
_MOST_BYTES = 4_194_304  # the one that exceeds it is the last
_FIRST_RETRY_S = 0.05
_RETRY_S = 0.5


class Command:
    """Something asked of Redis, and who waits for the answer."""

    __slots__ = ("answer", "patient", "script", "words")

    def __init__(self, words: tuple[Word, ...], script: Script | None, *, patient: bool) -> None:
        self.words = words
        self.script = script
        self.patient = patient  # waits until Redis takes it, instead of failing
        self.answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    @property
    def size_bytes(self) -> int:
        """Of what may be large."""
        return sum(len(word) for word in self.words if isinstance(word, bytes))

    def resolve(self, answer: object) -> None:
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
            self.answer.exception()  # seen, even if whoever asked was cancelled meanwhile
        else:
            self.answer.set_result(answer)


class Link:
    """Asks Redis, one batch at a time, in the order of asking.

    Once Redis cannot be reached everything is refused at once, until a look twice a second finds it again;
    what is patient is held meanwhile.
    """

    def __init__(self, address: str, prefix: str, clock: Clock) -> None:
        self.address = address
        self.problem: str | None = None  # why Redis cannot do what anybody asks of it, a sentence
        self._client: Client | None = None  # while it is open
        self._send: Exchange | None = None
        self._prefix = prefix
        self._clock = clock
        self._away = False
        self._closing = True
        self._waiting: list[Command] = []
        self._held: list[Command] = []
        self._flushing: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None

    @property
    def troubled(self) -> bool:
        """Whether Redis can be reached but refused something that is to be tried again."""
        return not self._away and (self.problem is not None or bool(self._held))

    def open(self, client: Client, exchange: Exchange) -> None:
        """Take what is asked from now on to this client, which is ours to close."""
        self._client = client
        self._send = exchange
        self._closing = False

    def run(
        self, script: Script, keys: Sequence[Word], arguments: Sequence[Word], *, patient: bool = False
    ) -> asyncio.Future[object]:
        """Run a script. Raises `EngineUnavailable`, now or as the answer."""
        words = ("EVALSHA", script.digest, len(keys), *keys, *arguments)
        return self._ask(Command(words, script, patient=patient))

    def ask(self, *words: Word) -> asyncio.Future[object]:
        """Ask a plain command. Raises `EngineUnavailable`, now or as the answer."""
        return self._ask(Command(words, None, patient=False))

    def try_again(self) -> None:
        """Redis does again what it is asked: send what was held."""
        self.problem = None
        held, self._held = self._held, []
        self._waiting[:0] = held
        self._begin_flush()

    def lose(self, error: Exception) -> EngineUnavailable:
        """Refuse everything until a look finds that all is well; returns what to raise."""
        self.problem = sentence(error, self.address)
        if not self._closing:
            if not self._away:
                logger.warning("the engine is away", extra={"problem": self.problem})
            self._away = True
            self._begin_return()
        return EngineUnavailable(self.problem)

    async def close(self) -> None:
        """Return once all that can be answered is; what is held fails."""
        self._closing = True
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        if not self._away:
            self.try_again()
        while self._flushing is not None:
            await asyncio.wait({self._flushing})
        self._fail(self._held, STOPPING)
        self._held = []
        if self._client is not None:
            await self._client.aclose()

    def _ask(self, command: Command) -> asyncio.Future[object]:
        if self._closing:
            raise EngineUnavailable(STOPPING)
        if not self._away:
            self._waiting.append(command)
            self._begin_flush()
        elif command.patient:
            self._held.append(command)
        else:
            raise EngineUnavailable(self.problem or STOPPING)
        return command.answer

    def _begin_flush(self) -> None:
        if self._flushing is None and self._waiting:
            self._flushing = asyncio.create_task(self._flush(), name="redis-commands")

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._exchange(self._next_batch())
        finally:
            self._flushing = None

    def _next_batch(self) -> list[Command]:
        number, size_bytes = 0, 0
        while number < min(_MOST, len(self._waiting)) and size_bytes < _MOST_BYTES:
            size_bytes += self._waiting[number].size_bytes
            number += 1
        batch, self._waiting = self._waiting[:number], self._waiting[number:]
        return batch

    async def _exchange(self, batch: list[Command]) -> None:
        assert self._send is not None
        try:
            answers = await self._send([command.words for command in batch])
            answered = list(zip(batch, answers, strict=True))
        except Exception as error:  # whatever it is, whoever waits must hear of it
            self._lost(batch, error)
            return
        for command, answer in answered:
            if isinstance(answer, Exception):
                self._refused(command, answer)
            else:
                command.resolve(answer)

    def _refused(self, command: Command, error: Exception) -> None:
        """Redis answered, but not with what was asked for."""
        script = command.script
        if script is not None and isinstance(error, NoScriptError):
            command.words = ("EVAL", script.text, *command.words[2:])
            command.script = None
            self._waiting.append(command)
            return
        problem = sentence(error, self.address)
        if concerns_all(error):
            self.problem = problem
        if command.patient and not self._closing:
            self._held.append(command)
        else:
            command.resolve(EngineUnavailable(problem))

    def _lost(self, batch: list[Command], error: Exception) -> None:
        """Nobody answered: refuse everything until somebody does."""
        problem = str(self.lose(error))
        asked = batch + self._waiting
        self._waiting = []
        if not self._closing:
            self._held += [command for command in asked if command.patient]
            asked = [command for command in asked if not command.patient]
        self._fail(asked, problem)

    def _begin_return(self) -> None:
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._return(), name="redis-return")

    async def _return(self) -> None:
        delay_s = _FIRST_RETRY_S
        while True:
            await self._clock.sleep(delay_s)
            try:
                await self._probe()
            except Exception as error:  # there is nobody to tell but those who ask next
                self.problem = sentence(error, self.address)
                delay_s = min(_RETRY_S, 2 * delay_s)
            else:
                self._away = False
                logger.info("the engine is back", extra={"engine": self.address})
                self.try_again()
                return

    async def _probe(self) -> None:
        """Raises what keeps Redis from being used."""
        assert self._send is not None
        (answer,) = await self._send([("HGET", self._prefix, "format")])
        if isinstance(answer, Exception):
            raise answer
        check_format(answer, self._prefix, self.address)

    @staticmethod
    def _fail(commands: Sequence[Command], problem: str) -> None:
        for command in commands:
            command.resolve(EngineUnavailable(problem))
