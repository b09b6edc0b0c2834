"""The way to Redis: what is asked in one turn of the event loop goes out together."""

import asyncio
from collections.abc import Sequence

from redis.exceptions import NoScriptError

from zypher.clock import Clock
from zypher.engines.engine import STOPPING
from zypher.engines.redis_streams.client import Client, Word
from zypher.engines.redis_streams.exchange import Exchange
from zypher.engines.redis_streams.scripts import Script
from zypher.engines.redis_streams.troubles import sentence
from zypher.errors import EngineUnavailable

_MOST = 512  # commands that are sent together
_FIRST_RETRY_S = 0.05
_RETRY_S = 1.0


class Command:
    """Something asked of Redis, and who waits for the answer."""

    __slots__ = ("answer", "patient", "script", "words")

    def __init__(self, words: tuple[Word, ...], script: Script | None, *, patient: bool) -> None:
        self.words = words
        self.script = script
        self.patient = patient  # waits until Redis takes it, instead of failing
        self.answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()

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

    Once Redis cannot be reached everything is refused at once, until a look every second finds it again;
    what is patient is held meanwhile.
    """

    def __init__(self, address: str, probe_key: str, clock: Clock) -> None:
        self.problem: str | None = None  # why Redis did not do what it was last asked, a sentence
        self._client: Client | None = None  # while it is open
        self._send: Exchange | None = None
        self._address = address
        self._probe_key = probe_key
        self._clock = clock
        self._away = False
        self._closing = True
        self._waiting: list[Command] = []
        self._held: list[Command] = []
        self._flushing: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None

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

    def mended(self) -> None:
        """Redis does again what it is asked: send what was held."""
        self.problem = None
        self._away = False
        held, self._held = self._held, []
        self._waiting[:0] = held
        self._begin_flush()

    async def close(self) -> None:
        """Return once all that can be answered is; what is held fails."""
        self._closing = True
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        if not self._away:
            self.mended()
        while self._flushing is not None:
            await asyncio.wait({self._flushing})
        self._fail(self._held, EngineUnavailable(STOPPING))
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
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._exchange(batch)
        finally:
            self._flushing = None

    async def _exchange(self, batch: list[Command]) -> None:
        assert self._send is not None
        try:
            answers = await self._send([command.words for command in batch])
        except Exception as error:  # whatever it is, whoever waits must hear of it
            self._lost(batch, error)
            return
        for command, answer in zip(batch, answers, strict=True):
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
        self.problem = sentence(error, self._address)
        if command.patient and not self._closing:
            self._held.append(command)
        else:
            command.resolve(EngineUnavailable(self.problem))

    def _lost(self, batch: list[Command], error: Exception) -> None:
        """Nobody answered: refuse everything until somebody does."""
        self.problem = sentence(error, self._address)
        self._away = True
        asked = batch + self._waiting
        self._waiting = []
        if not self._closing:
            self._held += [command for command in asked if command.patient]
            asked = [command for command in asked if not command.patient]
            self._begin_return()
        self._fail(asked, EngineUnavailable(self.problem))

    def _begin_return(self) -> None:
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._return(), name="redis-return")

    async def _return(self) -> None:
        delay_s = _FIRST_RETRY_S
        assert self._send is not None
        while True:
            await self._clock.sleep(delay_s)
            try:
                (answer,) = await self._send([("EXISTS", self._probe_key)])
                _raise_refusal(answer)
            except Exception as error:  # there is nobody to tell but those who ask next
                self.problem = sentence(error, self._address)
                delay_s = min(_RETRY_S, 2 * delay_s)
            else:
                self.mended()
                return

    @staticmethod
    def _fail(commands: Sequence[Command], error: EngineUnavailable) -> None:
        for command in commands:
            command.resolve(EngineUnavailable(str(error)))


def _raise_refusal(answer: object) -> None:
    if isinstance(answer, Exception):
        raise answer
