"""The routes of operators, served only on the unix socket in the data folder."""

import re
from urllib.parse import parse_qs

import msgspec

from zypher.http.errors import HttpError
from zypher.http.request import Request
from zypher.http.response import NO_STORE, Response, error_response
from zypher.http.routes import Routes, get
from zypher.operations.dead_letters import OperatorEngine
from zypher.settings import HttpSettings

OPERATOR_SETTINGS = HttpSettings(allowed_host=("localhost",), expose_errors=True)  # they may see everything

_LIMIT = re.compile(r"\d{1,9}")
_NO_MODEL = error_response(404, "No model of this name is known; GET /queues lists them.")
_NO_DEAD_LETTER = error_response(404, "There is no dead letter with this id; GET /dead-letters?model=NAME lists them.")


def operator_routes(engine: OperatorEngine) -> Routes:
    """The queues, the dead letters: listed, shown, replayed, purged; and models, which can be forgotten."""
    operators = _Operators(engine)
    return {
        "/queues": get(operators.queues),
        "/models": {"DELETE": operators.forget},
        "/predictions/{prediction_id}/cancel": {"POST": operators.cancel},
        "/dead-letters": get(operators.list),
        "/dead-letters/{prediction_id}": {**get(operators.show), "DELETE": operators.purge},
        "/dead-letters/{prediction_id}/replay": {"POST": operators.replay},
    }


class _Operators:
    def __init__(self, engine: OperatorEngine) -> None:
        self._engine = engine

    async def queues(self, request: Request) -> Response:
        """Return the queue state of each model, or of `?model=NAME`."""
        return _json(await self._engine.queues(_query(request).get("model")))

    async def list(self, request: Request) -> Response:
        """Return up to `?limit=N` dead letters of `?model=NAME`, the oldest first."""
        query = _query(request)
        limit = query.get("limit", "100")
        if "model" not in query or not _LIMIT.fullmatch(limit):
            raise HttpError(400, "Name a model and how many, as /dead-letters?model=NAME&limit=100.")
        return _json(await self._engine.dead(query["model"], int(limit)))

    async def show(self, request: Request) -> Response:
        """Return the prediction."""
        found = await self._engine.get(_id(request))
        return _NO_DEAD_LETTER if found is None else _json(found)

    async def cancel(self, request: Request) -> Response:
        """End the prediction; return what became of that."""
        return _json(await self._engine.cancel(_id(request)))

    async def replay(self, request: Request) -> Response:
        """Queue it again."""
        return _done(await self._engine.replay(_id(request)))

    async def purge(self, request: Request) -> Response:
        """Forget it."""
        return _done(await self._engine.purge(_id(request)))

    async def forget(self, request: Request) -> Response:
        """Forget the model `?model=NAME`."""
        query = _query(request)
        if "model" not in query:
            raise HttpError(400, "Name a model, as in /models?model=NAME.")
        return _done(await self._engine.forget(query["model"]), _NO_MODEL)


def _query(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query.decode("latin-1")).items()}


def _id(request: Request) -> str:
    return request.path.split("/")[2]


def _json(value: object) -> Response:
    return Response(200, msgspec.json.encode(value), (NO_STORE,))


def _done(done: bool, unknown: Response = _NO_DEAD_LETTER) -> Response:  # the engine's return value
    return Response(200, b"{}", (NO_STORE,)) if done else unknown
