"""What an operator asks of a running server, over HTTP on a socket in its data folder and nowhere else."""

import re
from urllib.parse import parse_qs

import msgspec

from zypher.http.answer import NO_STORE, Answer, error_answer
from zypher.http.problems import Problem
from zypher.http.request import Request
from zypher.http.routes import Routes, get
from zypher.operations.overseen import Overseen
from zypher.settings import HttpSettings

OPERATOR_SETTINGS = HttpSettings(allowed_host=("localhost",), expose_errors=True)  # they may see everything

_LIMIT = re.compile(r"\d{1,9}")
_NO_DEAD_LETTER = error_answer(404, "There is no dead letter with this id; GET /dead-letters?model=NAME lists them.")


def operator_routes(engine: Overseen) -> Routes:
    """The queues, and the dead letters: listed, shown, replayed, purged."""
    operators = _Operators(engine)
    return {
        "/queues": get(operators.queues),
        "/dead-letters": get(operators.list),
        "/dead-letters/{prediction_id}": {**get(operators.show), "DELETE": operators.purge},
        "/dead-letters/{prediction_id}/replay": {"POST": operators.replay},
    }


class _Operators:
    def __init__(self, engine: Overseen) -> None:
        self._engine = engine

    async def queues(self, request: Request) -> Answer:
        """Answer with the depth of each model, or of `?model=NAME`."""
        return _json(await self._engine.depths(_query(request).get("model")))

    async def list(self, request: Request) -> Answer:
        """Answer with up to `?limit=N` dead letters of `?model=NAME`, those that died first first."""
        query = _query(request)
        limit = query.get("limit", "100")
        if "model" not in query or not _LIMIT.fullmatch(limit):
            raise Problem(400, "Name a model and how many, as /dead-letters?model=NAME&limit=100.")
        return _json(await self._engine.dead(query["model"], int(limit)))

    async def show(self, request: Request) -> Answer:
        """Answer with the prediction."""
        found = await self._engine.get(_id(request))
        return _NO_DEAD_LETTER if found is None else _json(found)

    async def replay(self, request: Request) -> Answer:
        """Queue it again."""
        return _done(await self._engine.replay(_id(request)))

    async def purge(self, request: Request) -> Answer:
        """Forget it."""
        return _done(await self._engine.purge(_id(request)))


def _query(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.query.decode("latin-1")).items()}


def _id(request: Request) -> str:
    return request.path.split("/")[2]


def _json(value: object) -> Answer:
    return Answer(200, msgspec.json.encode(value), (NO_STORE,))


def _done(done: bool) -> Answer:  # it is what the engine says
    return Answer(200, b"{}", (NO_STORE,)) if done else _NO_DEAD_LETTER
