"""The check of large bodies, in a process of its own: it would hold the event loop, and a thread would hold the GIL."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import msgspec

from zypher.errors import InvalidInput, MalformedBody, NotChecked
from zypher.gateway.check_process import BODY, CARD, HEADER, CheckResult, NotAccepted
from zypher.model_card import ModelCard
from zypher.settings.resolve import environment_of_children

LARGE_BYTES = 32_768  # whatever the types, less is checked within 20 ms
_CHUNK_BYTES = 262_144  # written in one turn of the event loop
_COMMAND = (sys.executable, "-P", "-m", "zypher.gateway.check_process")

_decode = msgspec.json.Decoder(CheckResult).decode


class LargeBodies:
    """Checks one body at a time, the others in the order in which they came.

    The process is started for the first body and ends when there are none for a while.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._card: ModelCard | None = None  # that the process has
        self._checking: asyncio.Task[slice] | None = None

    async def check(self, card: ModelCard, body: bytes) -> slice:
        """Where in the body the input is. Raises a `RequestError`, or `NotChecked`."""
        await self._lock.acquire()
        # The caller may disconnect; the result is still to be read before the next check.
        self._checking = asyncio.create_task(self._check(card, body))
        self._checking.add_done_callback(self._release)
        return await asyncio.shield(self._checking)

    async def close(self) -> None:
        """End the process, and what is being checked."""
        if self._checking is not None and not self._checking.done():
            self._checking.cancel()
            await asyncio.wait({self._checking})
        await self._end()

    async def _check(self, card: ModelCard, body: bytes) -> slice:
        for _ in range(2):  # the process may have ended just now
            try:
                result = await self._exchange(card, body)
            except (OSError, asyncio.IncompleteReadError):
                await self._end()
                continue
            if isinstance(result, NotAccepted):
                raise (MalformedBody if result.malformed else InvalidInput)(result.message)
            return slice(result.start, result.end)
        raise NotChecked("The input could not be checked: the process that checks it has ended; send it again.")

    def _release(self, task: asyncio.Task[slice]) -> None:
        if not task.cancelled():
            task.exception()  # retrieved: the caller may have disconnected
        self._lock.release()

    async def _exchange(self, card: ModelCard, body: bytes) -> CheckResult:
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
        *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment_of_children()
    )


async def _write(pipe: asyncio.StreamWriter, what: bytes, content: bytes) -> None:
    pipe.write(HEADER.pack(what, len(content)))
    for start in range(0, len(content), _CHUNK_BYTES):
        pipe.write(content[start : start + _CHUNK_BYTES])
        await pipe.drain()
