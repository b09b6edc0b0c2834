"""The operator's end of the socket in a server's data folder: the engine of a running server, as if it were here."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from zypher.errors import EngineUnavailable, ModelInUse
from zypher.prediction import Cancellation, Prediction
from zypher.queue_state import EngineWarning, QueueState
from zypher.socket_path import short_path

_TIMEOUT_S = 30.0

T = TypeVar("T")


class _ErrorBody(msgspec.Struct, frozen=True):
    error: str


class OperatorClient:
    """Keeps the contract `OperatorEngine`.

    Every question is a connection of its own: it does not matter if the server is another one by now.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def answers(self) -> bool:
        """Whether a server listens."""
        try:
            with short_path(self._path) as path:
                _, writer = await asyncio.open_unix_connection(path)
        except OSError:
            return False
        writer.close()
        return True

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        return await self._read("/queues", dict[str, QueueState], model=model)

    def warnings(self) -> tuple[EngineWarning, ...]:
        """None, as of every engine in a data folder."""
        return ()

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        return await self._read("/dead-letters", list[Prediction], model=model, limit=limit)

    async def get(self, prediction_id: str) -> Prediction | None:
        response = await self._ask("GET", _letter(prediction_id))
        return None if response.status_code == 404 else msgspec.json.decode(response.content, type=Prediction)

    async def cancel(self, prediction_id: str) -> Cancellation:
        response = await self._ask("POST", f"/predictions/{quote(prediction_id, safe='')}/cancel")
        if response.status_code == 404:
            raise EngineUnavailable("The running server is of a version that cannot do this; start it anew.")
        return msgspec.json.decode(response.content, type=Cancellation)

    async def replay(self, prediction_id: str) -> bool:
        return (await self._ask("POST", _letter(prediction_id) + "/replay")).status_code == 200

    async def purge(self, prediction_id: str) -> bool:
        return (await self._ask("DELETE", _letter(prediction_id))).status_code == 200

    async def forget(self, model: str) -> bool:
        return (await self._ask("DELETE", "/models", {"model": model})).status_code == 200

    async def _read(self, path: str, kind: type[T], **query: str | int | None) -> T:
        asked = {name: value for name, value in query.items() if value is not None}
        return msgspec.json.decode((await self._ask("GET", path, asked)).content, type=kind)

    async def _ask(self, method: str, path: str, query: Mapping[str, str | int] = {}) -> httpx.Response:
        try:
            with short_path(self._path) as socket:
                async with httpx.AsyncClient(
                    transport=httpx.AsyncHTTPTransport(uds=socket), base_url="http://localhost", timeout=_TIMEOUT_S
                ) as http:
                    response = await http.request(method, path, params=query)
            if response.status_code >= 500:
                raise EngineUnavailable(_error_in(response))
            if response.status_code == 409:
                raise ModelInUse(_error_in(response))
        except (OSError, httpx.HTTPError, msgspec.DecodeError):
            raise EngineUnavailable(
                f"No server answers in {self._path.parent}; see whether it still runs, then try again."
            ) from None
        return response


def _error_in(response: httpx.Response) -> str:
    return msgspec.json.decode(response.content, type=_ErrorBody).error


def _letter(prediction_id: str) -> str:
    return "/dead-letters/" + quote(prediction_id, safe="")
