"""Throughput of 1, 2 and 4 workers.

All workers, their replicas and Redis on the first core, the caller on the second. The model sleeps 0.1 to 0.3 s, 0.2 s
in the mean, in 16 slots of each worker. A round submits 320 predictions for each worker at once and reads all of them;
its rate is that of the middle 80 % of the endings, while all slots are busy. Linear is the median of one worker times
the number of workers.
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from statistics import median

import uvloop

from bench.deployment import redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.load import WrongAnswer
from bench.processes import ROOT
from bench.report import Script
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine, Submission
from zypher.prediction import Message, Status, new_prediction_id
from zypher.settings import EngineSettings

_MODEL = "Sleeping"
_TARGET = f"{ROOT}/bench/models/sleeping.py:{_MODEL}"
_WORKERS = (1, 2, 4)
_FOR_EACH = 320
_SLEEPS_S = (0.1, 0.3)
_WAIT_S = 60.0


def measure() -> list[Figure]:
    rates: dict[int, tuple[float, ...]] = {}
    with redis() as broker, contextlib.ExitStack() as workers:
        started = 0
        for number in _WORKERS:
            for _ in range(number - started):
                workers.enter_context(worker(url(broker), _TARGET))
            started = number
            rates[number] = uvloop.run(_rates(url(broker), number))
    one = median(rates[1])
    return [
        *(_of_linear(number, rates[number], one) for number in _WORKERS[1:]),
        *(Figure(f"workers: {number}", "/s", rates[number]) for number in _WORKERS),
    ]


def _of_linear(number: int, rates: Sequence[float], one: float) -> Figure:
    share = tuple(100 * rate / (number * one) for rate in rates)
    return Figure(f"workers: {number}, of linear", "%", share, at_least=95)


async def _rates(address: str, workers: int) -> tuple[float, ...]:
    engine = connect(EngineSettings(engine=address), SystemClock())
    await engine.open()
    try:
        return tuple([await _rate(engine, workers, seed) for seed in range(ROUNDS)])
    finally:
        await engine.close()


async def _rate(engine: Engine, workers: int, seed: int) -> float:
    """Predictions per second while all slots are busy."""
    chance = Random(seed)
    ends = sorted(await asyncio.gather(*(_end(engine, chance.uniform(*_SLEEPS_S)) for _ in range(workers * _FOR_EACH))))
    tenth = len(ends) // 10
    return (len(ends) - 2 * tenth) / (ends[-tenth] - ends[tenth]).total_seconds()


async def _end(engine: Engine, sleep_s: float) -> datetime:
    """When a prediction that is submitted now ended."""
    now = datetime.now(UTC)
    message = Message(new_prediction_id(now, _MODEL), _MODEL, str(sleep_s).encode(), now)
    (accepted,) = await engine.submit([Submission(message)], durable=True)
    prediction = await engine.get(accepted.prediction_id, _WAIT_S)
    if prediction is None or prediction.status is not Status.SUCCEEDED or prediction.finished_at is None:
        raise WrongAnswer(f"A success was expected: {prediction}")
    return prediction.finished_at


SCRIPT = Script("redis_scale", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
