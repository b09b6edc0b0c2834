"""What rests, costs.

One `zypher worker` with a no-op model and its replica, one `zypher serve --no-worker`, and Redis, all on the first
core, without a request. CPU time and wakes in each round of 6 s, after 2 s of rest.

What rests runs with cold caches, on a virtual machine by a factor that changes by the minute. So the script itself
calculates the same after each round and 20 times in a row; a CPU time is to be read beside that factor, wakes are not.
"""

import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.deployment import front, redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.processes import Server
from bench.report import Script
from bench.servers import NOOP

_REST_S = 2.0
_ROUND_S = 6.0
_IN_A_ROW = 20


class _Round(NamedTuple):
    """What rests in a round: worker, server, Redis."""

    percents: tuple[float, ...]  # CPU time, of the round's time
    wakes_s: tuple[float, ...]  # per second
    cold: float  # a calculation after the round, of the same in a row


def measure() -> list[Figure]:
    with redis() as broker, worker(url(broker), NOOP) as back, front(url(broker)) as server:
        time.sleep(_REST_S)
        rounds = [_round((back, server, broker)) for _ in range(ROUNDS)]
    workers, servers, redises = zip(*(each.percents for each in rounds), strict=True)
    worker_wakes_s, server_wakes_s, _ = zip(*(each.wakes_s for each in rounds), strict=True)
    return [
        Figure("idle worker and its replica, of a core", "%", workers, at_most=1),
        Figure("idle server, of a core", "%", servers),
        Figure("idle Redis, of a core", "%", redises),
        Figure("idle worker and its replica: wakes", "/s", worker_wakes_s, at_most=5),
        Figure("idle server: wakes", "/s", server_wakes_s, at_most=3),
        Figure("a calculation after rest, of the same in a row", "×", tuple(each.cold for each in rounds)),
    ]


def _round(servers: Sequence[Server]) -> _Round:
    before_s = [server.threads_cpu_s() for server in servers]
    before = [server.wakes() for server in servers]
    began = time.perf_counter()
    time.sleep(_ROUND_S)
    cold_s = _calculate_s()
    elapsed_s = time.perf_counter() - began
    used_s = [server.threads_cpu_s() - earlier for server, earlier in zip(servers, before_s, strict=True)]
    wakes = [server.wakes() - earlier for server, earlier in zip(servers, before, strict=True)]
    in_a_row_s = min(_calculate_s() for _ in range(_IN_A_ROW))
    return _Round(
        tuple(100 * used / elapsed_s for used in used_s), tuple(each / elapsed_s for each in wakes), cold_s / in_a_row_s
    )


def _calculate_s() -> float:
    """CPU time of a calculation that takes a fraction of a millisecond."""
    began = time.thread_time()
    dict.fromkeys(map(str, range(2_000)))
    return time.thread_time() - began


SCRIPT = Script("redis_idle", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
