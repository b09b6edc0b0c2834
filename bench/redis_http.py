"""Asynchronous no-op predictions through Redis, over HTTP.

`zypher serve --no-worker` and one `zypher worker` with 32 slots, against FastAPI and one Celery worker with 32 threads
and late acknowledgement. Each service has a Redis of its own, of the same settings; all server processes and both
Redis on the first core, the load on the second. 64 connections that are kept: every one submits 8 predictions, then
polls each until it has read its output, with a pause of 5 ms after an answer that it is still being processed. The
services take turns, round by round, 4 s each.
"""

import contextlib
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from time import perf_counter

from bench.cycle import cycle
from bench.deployment import front, redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.load import Caller, run_load
from bench.predictions import read, submit
from bench.processes import ROOT, Server, run_server
from bench.report import Script
from bench.servers import NOOP, uvicorn

_SLOTS = "32"
_ROUND_S = 4.0
_WARM_UP_S = 1.0
_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Service:
    """What answers, and what works behind it."""

    front: Server
    behind: tuple[Server, Server]  # a worker and a Redis

    def cpu_s(self) -> float:
        return self.front.cpu_s() + sum(each.cpu_s() for each in self.behind)


@dataclass(frozen=True, slots=True)
class Round:
    """How fast a service was, and what it cost."""

    per_s: float  # predictions
    cpu_us: float  # of all processes, for each


def measure() -> list[Figure]:
    with zypher() as ours, _celery() as theirs:
        round_of(ours, _WARM_UP_S)
        round_of(theirs, _WARM_UP_S)
        rounds = [(round_of(ours, _ROUND_S), round_of(theirs, _ROUND_S)) for _ in range(ROUNDS)]
    return [
        Figure("cycle, zypher / FastAPI and Celery", "×", tuple(o.per_s / t.per_s for o, t in rounds), at_least=5),
        Figure("cycle: zypher", "/s", tuple(ours.per_s for ours, _ in rounds)),
        Figure("cycle: FastAPI and Celery", "/s", tuple(theirs.per_s for _, theirs in rounds)),
        Figure("CPU of all servers for each: zypher", "µs", tuple(ours.cpu_us for ours, _ in rounds)),
        Figure("CPU of all servers for each: FastAPI and Celery", "µs", tuple(theirs.cpu_us for _, theirs in rounds)),
    ]


def round_of(service: Service, for_s: float) -> Round:
    before_s = service.cpu_s()
    started = perf_counter()
    read_at = cycle(service.front, for_s)
    return Round(
        per_s=len(read_at) / (read_at[-1] - started),
        cpu_us=(service.cpu_s() - before_s) / len(read_at) * 1e6,
    )


@contextlib.contextmanager
def zypher(environment: Mapping[str, str] | None = None) -> Generator[Service]:
    with (
        redis() as broker,
        worker(url(broker), NOOP, "--concurrency", _SLOTS, environment=environment) as back,
        front(url(broker), environment=environment) as server,
    ):
        yield Service(server, (back, broker))


@contextlib.contextmanager
def _celery() -> Generator[Service]:
    with redis() as broker:
        environment = {"PEER_REDIS": url(broker), "PYTHONPATH": str(ROOT)}
        command = ("celery", "--app", "bench.peers.fastapi_celery:tasks", "--quiet", "worker")
        options = ("--pool", "threads", "--concurrency", _SLOTS, "--loglevel", "WARNING")
        with (
            run_server(*command, *options, environment=environment) as back,
            uvicorn("bench.peers.fastapi_celery:app", environment) as server,
        ):
            server.wait_for("GET", "/healthz/ready")
            run_load(server.port, [_first()], _LIMIT_S)
            yield Service(server, (back, broker))


def _first() -> Caller:
    yield from read((yield from submit()))


SCRIPT = Script("redis_http", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
