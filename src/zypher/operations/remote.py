"""The operator's end of the socket: the engine of a running server, as if it were here."""

import asyncio
from pathlib import Path

import msgspec

from zypher.errors import EngineUnavailable
from zypher.operations.messages import (
    Ask,
    Depths,
    Get,
    ListDead,
    NotNow,
    Purge,
    Replay,
    decode_reply,
    encode,
    error,
)
from zypher.prediction import Prediction
from zypher.presence import Depth

_LONGEST_BYTES = 2**30
_prediction: msgspec.json.Decoder[Prediction | None] = msgspec.json.Decoder(Prediction | None)


class RemoteOperations:
    """Keeps the contract `Overseen`.

    Every ask is a connection of its own: it does not matter if the server is another one by now.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def answers(self) -> bool:
        """Whether a server listens."""
        try:
            _, writer = await asyncio.open_unix_connection(self._path)
        except OSError:
            return False
        writer.close()
        return True

    async def depths(self, model: str | None = None) -> dict[str, Depth]:
        return msgspec.json.decode(await self._ask(Depths(model)), type=dict[str, Depth])

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        return msgspec.json.decode(await self._ask(ListDead(model, limit)), type=list[Prediction])

    async def replay(self, prediction_id: str) -> bool:
        return msgspec.json.decode(await self._ask(Replay(prediction_id)), type=bool)

    async def purge(self, prediction_id: str) -> bool:
        return msgspec.json.decode(await self._ask(Purge(prediction_id)), type=bool)

    async def get(self, prediction_id: str) -> Prediction | None:
        return _prediction.decode(await self._ask(Get(prediction_id)))

    async def _ask(self, ask: Ask) -> msgspec.Raw:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path, limit=_LONGEST_BYTES)
            try:
                writer.write(encode(ask) + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
            reply = decode_reply(line)
        except (OSError, msgspec.DecodeError):
            raise EngineUnavailable(
                f"No server answers in {self._path.parent}; see whether it still runs, then try again."
            ) from None
        if isinstance(reply, NotNow):
            raise error(reply)
        return reply.answer
