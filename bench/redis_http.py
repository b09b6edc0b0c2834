"""Asynchronous no-op predictions through Redis, over HTTP.

`zypher serve --no-worker` and one `zypher worker` with 32 slots, against FastAPI and one Celery worker with 32 threads
and late acknowledgement. Each service has a Redis of its own, of the same settings; all server processes and both
Redis on the first core, the load on the second. 64 connections that are kept: every one submits 8 predictions, then
polls each until it has read its output, with a pause of 5 ms after an answer that it is still being processed. The
services take turns, round by round, 4 s each.
"""

import contextlib
import sys
from collections.abc import Generator

from bench.cycle import cycles_per_s
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


def measure() -> list[Figure]:
    with _zypher() as ours, _celery() as theirs:
        cycles_per_s(ours, _WARM_UP_S)
        cycles_per_s(theirs, _WARM_UP_S)
        rounds = [(cycles_per_s(ours, _ROUND_S), cycles_per_s(theirs, _ROUND_S)) for _ in range(ROUNDS)]
    return [
        Figure("cycle, zypher / FastAPI and Celery", "×", tuple(ours / theirs for ours, theirs in rounds), at_least=5),
        Figure("cycle: zypher", "/s", tuple(ours for ours, _ in rounds)),
        Figure("cycle: FastAPI and Celery", "/s", tuple(theirs for _, theirs in rounds)),
    ]


@contextlib.contextmanager
def _zypher() -> Generator[Server]:
    with redis() as broker, worker(url(broker), NOOP, "--concurrency", _SLOTS), front(url(broker)) as server:
        yield server


@contextlib.contextmanager
def _celery() -> Generator[Server]:
    with redis() as broker:
        environment = {"PEER_REDIS": url(broker), "PYTHONPATH": str(ROOT)}
        command = ("celery", "--app", "bench.peers.fastapi_celery:tasks", "--quiet", "worker")
        options = ("--pool", "threads", "--concurrency", _SLOTS, "--loglevel", "WARNING")
        with (
            run_server(*command, *options, environment=environment),
            uvicorn("bench.peers.fastapi_celery:app", environment) as server,
        ):
            server.wait_for("GET", "/healthz/ready")
            run_load(server.port, [_first()], _LIMIT_S)
            yield server


def _first() -> Caller:
    yield from read((yield from submit()))


SCRIPT = Script("redis_http", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
