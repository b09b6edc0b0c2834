"""The check of large bodies, in a process of its own: it would hold the event loop, and a thread would hold the GIL."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import msgspec

from zypher.errors import InvalidInput, MalformedBody, NotChecked
from zypher.gateway.check_process import BODY, CARD, HEADER, Answer, NotAccepted
from zypher.presence import ModelCard
from zypher.settings.environment import without_settings

LARGE_BYTES = 32_768  # whatever the types, less is checked within 20 ms
_BITE_BYTES = 262_144  # written in one turn of the event loop
_COMMAND = (sys.executable, "-P", "-m", "zypher.gateway.check_process")

_decode = msgspec.json.Decoder(Answer).decode


class LargeBodies:
    """Checks one body at a time, the others in the order in which they came.

    The process is started for the first body and ends when there are none for a while.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._card: ModelCard | None = None  # that the process has
        self._asking: asyncio.Task[slice] | None = None

    async def check(self, card: ModelCard, body: bytes) -> slice:
        """Where in the body the input is. Raises a `RequestError`, or `NotChecked`."""
        await self._turn.acquire()
        # Whoever asks may go; the answer is still to be read before the next question.
        self._asking = asyncio.create_task(self._ask(card, body))
        self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    async def close(self) -> None:
        """End the process, and what is being checked."""
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
            await asyncio.wait({self._asking})
        await self._end()

    async def _ask(self, card: ModelCard, body: bytes) -> slice:
        for _ in range(2):  # the process may have ended just now
            try:
                answer = await self._answer(card, body)
            except (OSError, asyncio.IncompleteReadError):
                await self._end()
                continue
            if isinstance(answer, NotAccepted):
                raise (MalformedBody if answer.malformed else InvalidInput)(answer.message)
            return slice(answer.start, answer.end)
        raise NotChecked("The input could not be checked: the process that does so has died; send it again.")

    def _asked(self, asking: asyncio.Task[slice]) -> None:
        if not asking.cancelled():
            asking.exception()  # told to whoever has asked, if he is still there
        self._turn.release()

    async def _answer(self, card: ModelCard, body: bytes) -> Answer:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await _start()
            self._card = None
        assert process.stdin is not None, "it has a pipe"
        assert process.stdout is not None, "it has a pipe"
        if self._card is not card:
            await _write(process.stdin, CARD, msgspec.json.encode(card))
            self._card = card
        await _write(process.stdin, BODY, body)
        _, length = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
        return _decode(await process.stdout.readexactly(length))

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=without_settings()
    )


async def _write(pipe: asyncio.StreamWriter, what: bytes, content: bytes) -> None:
    pipe.write(HEADER.pack(what, len(content)))
    for start in range(0, len(content), _BITE_BYTES):
        pipe.write(content[start : start + _BITE_BYTES])
        await pipe.drain()
