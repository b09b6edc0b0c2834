"""Synchronous no-op predictions through Redis.

`zypher serve --no-worker`, one `zypher worker` and Redis, all of them on the first core; the load on the second. Each
round keeps one connection for 1.5 s, then 64 for 3 s, each with one request after another.
"""

import sys

from bench.deployment import front, redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.load import Load, run_load
from bench.predictions import predict
from bench.processes import Server
from bench.report import Script
from bench.servers import NOOP

_CONNECTIONS = 64
_ALONE_S = 1.5
_CROWDED_S = 3.0
_WARM_UP_S = 1.0
_LIMIT_S = 30.0


def measure() -> list[Figure]:
    with redis() as broker, worker(url(broker), NOOP), front(url(broker)) as server:
        _load(server, _CONNECTIONS, _WARM_UP_S)
        rounds = [(_load(server, 1, _ALONE_S), _load(server, _CONNECTIONS, _CROWDED_S)) for _ in range(ROUNDS)]
    return [
        Figure("1 connection: p50", "ms", tuple(alone.percentile_ms(50) for alone, _ in rounds), at_most=3),
        Figure("1 connection: p99", "ms", tuple(alone.percentile_ms(99) for alone, _ in rounds)),
        Figure("64 connections: answers", "/s", tuple(crowded.rate for _, crowded in rounds), at_least=1_500),
        Figure("64 connections: p50", "ms", tuple(crowded.percentile_ms(50) for _, crowded in rounds)),
        Figure("64 connections: p99", "ms", tuple(crowded.percentile_ms(99) for _, crowded in rounds)),
    ]


def _load(server: Server, connections: int, for_s: float) -> Load:
    return run_load(server.port, [predict(for_s) for _ in range(connections)], _LIMIT_S)


SCRIPT = Script("redis_sync", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
