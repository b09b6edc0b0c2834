"""A Redis far away.

One `zypher serve --no-worker` and two `zypher worker`, with a lease of 2 s, reach Redis through a proxy of this script
that holds up each byte for 0.5 s, either way. In each round 8 predictions that sleep for 8 s are submitted; the time is
from the first submission to the last right answer. A prediction whose lease is lost runs once more.
"""

import asyncio
import contextlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from time import perf_counter

from bench.deployment import front, redis, worker
from bench.figure import Figure
from bench.load import Caller, WrongAnswer, request, run_load
from bench.predictions import submission, submit
from bench.processes import ROOT, Server
from bench.report import Script
from tests.chaos.proxy import Proxy

_TARGET = f"{ROOT}/bench/models/noted.py:Noted"
_DELAY_S = 0.5
_LEASE_S = 2
_ROUNDS = 3
_PREDICTIONS = 8
_RUN_S = 8.0
_LIMIT_S = 120.0


def measure() -> list[Figure]:
    lease = ("--lease-s", str(_LEASE_S))
    at_once = ("--concurrency", str(_PREDICTIONS // 2))
    with redis(pinned=False) as broker, _far(broker.port) as port:
        engine = f"redis://127.0.0.1:{port}/0"
        with (
            worker(engine, _TARGET, *lease, *at_once, pinned=False) as first,
            worker(engine, _TARGET, *lease, *at_once, pinned=False) as second,
            front(engine, *lease, pinned=False) as server,
        ):
            rounds = [_round(server, (first, second), number) for number in range(_ROUNDS)]
    results, runs, lasts = zip(*rounds, strict=True)
    return [
        Figure("delay, either way", "s", (_DELAY_S,)),
        Figure("lease", "s", (_LEASE_S,)),
        Figure(
            f"predictions of 8 s: results of {_PREDICTIONS}, in each round", "", (min(results),), at_least=_PREDICTIONS
        ),
        Figure("predictions of 8 s: most runs of one, in all rounds", "", (max(runs),), at_most=1),
        Figure("predictions of 8 s: last of the results after", "s", lasts, at_most=16),
    ]


@contextlib.contextmanager
def _far(port: int) -> Generator[int]:
    """The port of a proxy to this one, which a thread runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    proxy = Proxy(port)
    proxy.delay_s = _DELAY_S
    try:
        asyncio.run_coroutine_threadsafe(proxy.__aenter__(), loop).result()
        yield proxy.port
        asyncio.run_coroutine_threadsafe(proxy.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _round(server: Server, workers: Sequence[Server], number: int) -> tuple[int, int, float]:
    """How many right answers there were, the most runs of one prediction, and when the last answer came."""
    numbers = range(number * _PREDICTIONS, (number + 1) * _PREDICTIONS)
    right: list[int] = []
    began = perf_counter()
    run_load(server.port, [_predict(each, right) for each in numbers], _LIMIT_S)
    elapsed_s = perf_counter() - began
    runs = Counter(line for each in workers for line in _runs(each))
    return len(right), max(runs[str(each)] for each in numbers), elapsed_s


def _predict(number: int, right: list[int]) -> Caller:
    span = {"number": number, "slept_s": _RUN_S, "held_s": 0}
    prediction_id = yield from submit(submission(json.dumps({"input": span}).encode()))
    answer = yield request("GET", f"/predict/{prediction_id}?wait=60")
    if answer.status != 200 or json.loads(answer.body)["output"] != number:
        raise WrongAnswer(f"The result of {number} is {answer}")
    right.append(number)


def _runs(worker: Server) -> list[str]:
    """The numbers of the runs that began in it."""
    noted = worker.directory / "runs"
    return noted.read_text().split() if noted.exists() else []


SCRIPT = Script("slow_redis", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
