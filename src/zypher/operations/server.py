"""The server's end of the socket in its data folder: answers for the engine that it holds."""

import asyncio
import logging
import os
import socket
from pathlib import Path

import msgspec

from zypher.errors import Refused
from zypher.operations.messages import (
    Ask,
    Depths,
    Done,
    Get,
    ListDead,
    Purge,
    Replay,
    Reply,
    decode_ask,
    encode,
    refusal,
)
from zypher.operations.overseen import Overseen

logger = logging.getLogger(__name__)

_ONLY_OURS = 0o177  # umask: nobody else may connect


class OperationsServer:
    """Listens at `path` from `start` to `stop`; only one at a time may be there."""

    def __init__(self, engine: Overseen, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Answer from now on. A server that cannot do so serves all the same, and says so in the log."""
        try:
            listener = _listen(self._path)
        except OSError as error:
            about = {"socket": str(self._path), "problem": str(error)}
            logger.warning("`zypher queue` will not find this server", extra=about)
            return
        self._server = await asyncio.start_unix_server(self._talk, sock=listener)

    async def stop(self) -> None:
        """Answer no more. May happen twice."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._path.unlink(missing_ok=True)
        for talk in self._talks:
            talk.cancel()
        if self._talks:
            await asyncio.wait(self._talks)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            line = await reader.readline()
            writer.write(encode(await self._reply(line)) + b"\n")
            await writer.drain()
        except (OSError, ValueError) as error:  # it hung up, or is none of ours
            logger.debug("an operator was not answered", extra={"problem": str(error)})
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _reply(self, line: bytes) -> Reply:
        try:
            return Done(msgspec.Raw(encode(await self._answer(decode_ask(line)))))
        except Refused as refused:
            return refusal(refused)

    async def _answer(self, ask: Ask) -> object:
        match ask:
            case Depths(model):
                return await self._engine.depths(model)
            case ListDead(model, limit):
                return await self._engine.dead(model, limit)
            case Get(prediction_id):
                return await self._engine.get(prediction_id)
            case Replay(prediction_id):
                return await self._engine.replay(prediction_id)
            case Purge(prediction_id):
                return await self._engine.purge(prediction_id)


def _listen(path: Path) -> socket.socket:
    """A socket at `path`, in place of what a killed server left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(_ONLY_OURS)
    try:
        listener.bind(str(path))
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener
