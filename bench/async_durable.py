"""Asynchronous no-op predictions.

All server processes on the first core, the load on the second, 64 connections that are kept. zypher fsyncs each
acceptance before its 202, and each result. The burst: every connection only submits, 6,000 predictions in all. The
cycle: every connection submits 8 predictions, then polls each until it has read its output, with a pause of 5 ms after
an answer that it is still being processed. The peer keeps everything in memory: Flask in gunicorn (one process, 4
threads), a `queue.Queue`, worker threads, results in a dict; it gets the same cycle. Each round is a burst, zypher's
cycle and the peer's, so that what else the machine does meets all of them. Then zypher alone goes on without a pause
for 30 s, its rate taken in each tenth and its memory sampled twice a second.
"""

import sys
from statistics import fmean

from bench.cycle import cycle, cycles_per_s
from bench.figure import Figure
from bench.load import Caller, run_load
from bench.predictions import read, submit
from bench.processes import MIB, Server
from bench.report import Script
from bench.sampler import Sampler
from bench.servers import NOOP, flask, zypher

_CONNECTIONS = 64
_BURST = 6_000
_ROUNDS = 9
_ROUND_S = 3.0
_WARM_UP_S = 1.0
_SUSTAINED_S = 30.0
_PARTS = 10
_SAMPLE_S = 0.5
_LIMIT_S = 60.0


def measure() -> list[Figure]:
    with zypher(NOOP) as ours, flask() as theirs:
        cycles_per_s(ours, _WARM_UP_S)
        cycles_per_s(theirs, _WARM_UP_S)
        rounds = [
            (burst_per_s(ours), cycles_per_s(ours, _ROUND_S), cycles_per_s(theirs, _ROUND_S)) for _ in range(_ROUNDS)
        ]
        with Sampler(lambda: ours.pss_bytes() / MIB, _SAMPLE_S) as memory:
            sustained = _parts(cycle(ours, _SUSTAINED_S))
    return [
        Figure("burst: submissions accepted", "/s", tuple(burst for burst, _, _ in rounds), at_least=4_000),
        Figure("30 s: predictions submitted, polled and read", "/s", sustained, at_least=2_000),
        Figure("cycle, zypher / Flask", "×", tuple(ours / theirs for _, ours, theirs in rounds), at_least=3),
        Figure("cycle: zypher", "/s", tuple(ours for _, ours, _ in rounds)),
        Figure("cycle: Flask, in memory", "/s", tuple(theirs for _, _, theirs in rounds)),
        *_memory(memory.values),
    ]


def burst_per_s(server: Server) -> float:
    """Submissions per second; returns once all predictions have ended."""
    last: list[str] = []
    load = run_load(server.port, [_submit_many(last) for _ in range(_CONNECTIONS)], _LIMIT_S)
    run_load(server.port, [read(prediction_id, wait_s=30) for prediction_id in last], _LIMIT_S)
    return load.rate


def _submit_many(last: list[str]) -> Caller:
    for _ in range(_BURST // _CONNECTIONS - 1):
        yield from submit()
    last.append((yield from submit()))


def _parts(read_at: list[float]) -> tuple[float, ...]:
    """Predictions per second in each tenth of the time."""
    first, part_s = read_at[0], (read_at[-1] - read_at[0]) / _PARTS
    counts = [0] * _PARTS
    for instant in read_at:
        counts[min(_PARTS - 1, int((instant - first) / part_s))] += 1
    return tuple(count / part_s for count in counts)


def _memory(samples_mib: list[float]) -> list[Figure]:
    third = len(samples_mib) // 3
    first, last = samples_mib[:third], samples_mib[-third:]
    return [
        Figure("30 s: memory (PSS), last third / first third", "×", (fmean(last) / fmean(first),), at_most=1.05),
        Figure("30 s: memory (PSS), first third", "MiB", tuple(first)),
        Figure("30 s: memory (PSS), last third", "MiB", tuple(last)),
    ]


SCRIPT = Script("async_durable", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
