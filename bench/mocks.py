"""The built-in mock, which sleeps 10 to 17 s.

Every round in a server of its own, all server processes on the first core, the load on the second. Synchronous: 1,000
connections send one request each, at once; memory (PSS of all server processes together) is sampled four times a
second. Asynchronous: 1,000 predictions are submitted and fill the mock's slots, then 5,000 more are; the growth is
what memory gained from the moment when all slots were busy to the last acceptance, divided by 5,000.
"""

import sys
import time
from dataclasses import dataclass

from bench.figure import ROUNDS, Figure
from bench.load import Caller, WrongAnswer, expect, request, run_load
from bench.predictions import submit
from bench.processes import KIB, MIB, Server
from bench.report import Script
from bench.sampler import Sampler
from bench.servers import INPUT, MOCK, zypher

_SYNC = 1_000
_SLOTS = 1_000
_ASYNC = 5_000
_CONNECTIONS = 50
_SAMPLE_S = 0.25
_SETTLE_S = 0.5  # until what was just begun has its threads
_LIMIT_S = 60.0

_REQUEST = request("POST", "/predict", INPUT)


@dataclass(frozen=True, slots=True)
class _Sync:
    elapsed_s: float
    peak_mib: float


def measure() -> list[Figure]:
    rounds = [(_sync(), _growth_kib()) for _ in range(ROUNDS)]
    return [
        Figure("1,000 synchronous mocks: last answer after", "s", tuple(s.elapsed_s for s, _ in rounds), at_most=18.5),
        Figure("1,000 synchronous mocks: peak memory", "MiB", tuple(s.peak_mib for s, _ in rounds), at_most=160),
        Figure("5,000 accepted mocks: memory for each", "KiB", tuple(g for _, g in rounds), at_most=2),
    ]


def _sync() -> _Sync:
    with zypher(MOCK) as server, Sampler(server.pss_bytes, _SAMPLE_S) as memory:
        load = run_load(server.port, [_predict() for _ in range(_SYNC)], _LIMIT_S)
    return _Sync(load.elapsed_s, max(memory.values) / MIB)


def _predict() -> Caller:
    body = expect((yield _REQUEST), 200)
    if not body.startswith(INPUT[:-1].replace(b": ", b":")):
        raise WrongAnswer(f"Another output was expected: {body!r}")


def _growth_kib() -> float:
    with zypher(MOCK) as server:
        _submit(server, _SLOTS)
        time.sleep(_SETTLE_S)
        before = server.pss_bytes()
        _submit(server, _ASYNC)
        return (server.pss_bytes() - before) / _ASYNC / KIB


def _submit(server: Server, count: int) -> None:
    run_load(server.port, [_submit_many(count // _CONNECTIONS) for _ in range(_CONNECTIONS)], _LIMIT_S)


def _submit_many(count: int) -> Caller:
    for _ in range(count):
        yield from submit()


SCRIPT = Script("mocks", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
