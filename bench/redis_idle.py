"""What rests, costs.

One `zypher worker` with a no-op model and its replica, one `zypher serve --no-worker`, and Redis, all on the first
core, without a request. CPU time in each round of 6 s, after 2 s of rest.
"""

import sys
import time
from collections.abc import Sequence

from bench.deployment import front, redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.processes import Server
from bench.report import Script
from bench.servers import NOOP

_REST_S = 2.0
_ROUND_S = 6.0


def measure() -> list[Figure]:
    with redis() as broker, worker(url(broker), NOOP) as back, front(url(broker)) as server:
        time.sleep(_REST_S)
        rounds = [_percents((back, server, broker)) for _ in range(ROUNDS)]
    workers, servers, redises = zip(*rounds, strict=True)
    return [
        Figure("idle worker and its replica, of a core", "%", workers, at_most=1),
        Figure("idle server, of a core", "%", servers),
        Figure("idle Redis, of a core", "%", redises),
    ]


def _percents(servers: Sequence[Server]) -> tuple[float, ...]:
    """CPU time of each server in a round, of the round's time."""
    before_s = [server.threads_cpu_s() for server in servers]
    began = time.perf_counter()
    time.sleep(_ROUND_S)
    elapsed_s = time.perf_counter() - began
    return tuple(
        100 * (server.threads_cpu_s() - before) / elapsed_s for server, before in zip(servers, before_s, strict=True)
    )


SCRIPT = Script("redis_idle", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
