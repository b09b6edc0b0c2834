"""What clients see of a rolling restart on Redis.

Two `zypher serve --no-worker --lame-duck-s 0.5` and three `zypher worker` share one Redis; nothing is bound to a core.
One of these five after the other gets SIGTERM, and another takes its place once it has ended, a hundred times.
Meanwhile 12 clients, on connections that are kept, predict synchronously, wait a little (`Prefer: wait=1`), or submit
and poll (`?wait=1`) until the output is there; each prediction takes up to 0.2 s. They choose among the servers that
were ready when their readiness was looked at last, every 100 ms. Refused is each request without an answer, or with
another one than the contract has for it. A wrong output, or none within 20 s, ends the run.
"""

import asyncio
import contextlib
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from bench.deployment import front, redis, url, worker
from bench.figure import Figure
from bench.load import WrongAnswer
from bench.processes import ROOT, Server, ServerError
from bench.report import Script

_TARGET = f"{ROOT}/bench/models/sleeping.py:Sleeping"
_LAME_DUCK = ("--lame-duck-s", "0.5")
NOT_CHANGED: Mapping[str, str] = {}  # variables of a process
_ROUNDS = 20
_CALLERS = 12
_LOOK_AGAIN_S = 0.1
_LONGEST_RUN_S = 0.2
_PAUSE_S = 0.01
_PATIENCE_S = 20.0
_Start = contextlib.AbstractContextManager[Server]
_WAYS: Sequence[tuple[Mapping[str, str], set[int]]] = (  # headers of a submission, and what may be answered
    ({}, {200}),
    ({"Prefer": "wait=1"}, {200, 202}),
    ({"Async-Mode": "true"}, {202}),
)


@dataclass(slots=True)
class Rolled:
    """What became of a rolling restart."""

    restarts: int = 0
    requests: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])  # by what was asked and what came back


def measure() -> list[Figure]:
    with redis(pinned=False) as broker:
        rolled = roll(url(broker), [NOT_CHANGED] * _ROUNDS)
    for what, times in rolled.refused.items():
        print(f"refused {times}: {what}")
    return [
        Figure("processes restarted", "", (rolled.restarts,), at_least=5 * _ROUNDS),
        Figure("requests", "", (rolled.requests,)),
        Figure("requests refused", "", (rolled.refused.total(),), at_most=0),
    ]


def roll(engine: str, rounds: Sequence[Mapping[str, str]]) -> Rolled:
    """Restart each of the five under load, once in each round, with its variables. Raises `ServerError`."""

    def start_worker(environment: Mapping[str, str]) -> _Start:
        return worker(engine, _TARGET, pinned=False, environment=environment)

    def start_server(environment: Mapping[str, str]) -> _Start:
        return front(engine, *_LAME_DUCK, pinned=False, environment=environment)

    with contextlib.ExitStack() as stack:
        workers = [_Member(stack, start_worker) for _ in range(3)]
        servers = [_Member(stack, start_server) for _ in range(2)]
        return asyncio.run(_roll([*workers, *servers], servers, rounds))


async def _roll(
    members: Sequence["_Member"], servers: Sequence["_Member"], rounds: Sequence[Mapping[str, str]]
) -> Rolled:
    rolled = Rolled()
    async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client, asyncio.TaskGroup() as tasks:
        load = _Load(client, servers, rolled)
        tasks.create_task(load.look())
        for _ in range(_CALLERS):
            tasks.create_task(load.call())
        for environment in rounds:
            for member in members:
                await asyncio.to_thread(member.restart, environment)
                rolled.restarts += 1
        load.ended = True
    return rolled


class _Member:
    """A server or a worker that another one may replace."""

    def __init__(self, stack: contextlib.ExitStack, start: Callable[[Mapping[str, str]], _Start]) -> None:
        self._start = start
        self._stack = stack.enter_context(contextlib.ExitStack())
        self._server = self._stack.enter_context(start(NOT_CHANGED))

    @property
    def port(self) -> int:
        return self._server.port

    def restart(self, environment: Mapping[str, str]) -> None:
        """Ask it to end, wait until it has, and start another with these variables."""
        self._server.process.terminate()
        code = self._server.process.wait(_PATIENCE_S)
        if code != 0:
            raise ServerError(f"A process ended with exit code {code} and has printed: {self._server.printed()}")
        self._stack.close()
        self._server = self._stack.enter_context(self._start(environment))


class _Load:
    """Clients that go to servers which were ready a moment ago."""

    def __init__(self, client: httpx.AsyncClient, servers: Sequence[_Member], rolled: Rolled) -> None:
        self.ended = False
        self._client = client
        self._servers = servers
        self._rolled = rolled
        self._ready = {server.port for server in servers}

    async def look(self) -> None:
        """Look at the readiness of each server, again and again."""
        while not self.ended:
            ports = [server.port for server in self._servers]
            found = await asyncio.gather(*map(self._is_ready, ports))
            self._ready = {port for port, ready in zip(ports, found, strict=True) if ready}
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def call(self) -> None:
        """Predict, one after the other."""
        while not self.ended:
            input = round(random.uniform(0, _LONGEST_RUN_S), 3)
            headers, expected = random.choice(_WAYS)
            answer = await self._ask("POST", "/predict", expected, json={"input": input}, headers=headers)
            if answer is not None:
                output = answer.json() if answer.status_code == 200 else await self._read(answer.json())
                if output != input:
                    raise WrongAnswer(f"{input} was expected, not {output}")
            await asyncio.sleep(_PAUSE_S)

    async def _read(self, accepted: Mapping[str, str]) -> object:
        """The output of what was accepted, once it is there."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                answer = await self._ask("GET", f"/predict/{accepted['prediction_id']}?wait=1", {200, 400})
                if answer is not None and answer.status_code == 200:
                    return answer.json()["output"]
                await asyncio.sleep(_PAUSE_S)

    async def _ask(
        self,
        method: str,
        path: str,
        expected: set[int],
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response | None:
        """The answer of a server that was ready; None where it is none of the expected ones."""
        port = random.choice([*self._ready] or [server.port for server in self._servers])
        self._rolled.requests += 1
        try:
            answer = await self._client.request(method, f"http://127.0.0.1:{port}{path}", json=json, headers=headers)
        except httpx.TransportError as error:
            self._rolled.refused[f"{method} {type(error).__name__}"] += 1
            return None
        if answer.status_code in expected:
            return answer
        self._rolled.refused[f"{method} {answer.status_code} {answer.text}"] += 1
        return None

    async def _is_ready(self, port: int) -> bool:
        try:
            return (await self._client.get(f"http://127.0.0.1:{port}/healthz/ready")).status_code == 200
        except httpx.TransportError:
            return False


SCRIPT = Script("rolling", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
