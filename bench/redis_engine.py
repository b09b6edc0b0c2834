"""Predictions through Redis, without HTTP.

One `zypher worker` with a no-op model and 32 slots, its replica and Redis on the first core. On the second, 64 callers
in one process use the engine as the gateway does: in each round of 4 s every caller submits 8 durable predictions, one
after the other, waits for each of them and reads its output, and begins again.
"""

import asyncio
import sys
from datetime import UTC, datetime
from time import perf_counter

import uvloop

from bench.deployment import redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.load import WrongAnswer
from bench.report import Script
from bench.servers import NOOP, OUTPUT
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.engine import Engine
from zypher.prediction import Message, new_prediction_id
from zypher.settings import EngineSettings

_SLOTS = 32
_CALLERS = 64
_AT_ONCE = 8
_ROUND_S = 4.0
_WARM_UP_S = 1.0
_WAIT_S = 30.0
_INPUT = b'"Sample input data for the model"'


def measure() -> list[Figure]:
    with redis() as broker, worker(url(broker), NOOP, "--concurrency", str(_SLOTS)):
        rates = uvloop.run(_rates(url(broker)))
    return [Figure("predictions submitted, run and read", "/s", rates, at_least=3_000)]


async def _rates(address: str) -> tuple[float, ...]:
    engine = connect(EngineSettings(engine=address), SystemClock())
    await engine.open()
    try:
        await _rate(engine, _WARM_UP_S)
        return tuple([await _rate(engine, _ROUND_S) for _ in range(ROUNDS)])
    finally:
        await engine.close()


async def _rate(engine: Engine, for_s: float) -> float:
    """Predictions per second."""
    began = perf_counter()
    counts = await asyncio.gather(*(_submit_and_read(engine, began + for_s) for _ in range(_CALLERS)))
    return sum(counts) / (perf_counter() - began)


async def _submit_and_read(engine: Engine, until: float) -> int:
    """How many predictions were read."""
    count = 0
    while perf_counter() < until:
        for prediction_id in [await _submit(engine) for _ in range(_AT_ONCE)]:
            await _read(engine, prediction_id)
            count += 1
    return count


async def _submit(engine: Engine) -> str:
    now = datetime.now(UTC)
    message = Message(new_prediction_id(now), "Noop", _INPUT, now)
    return (await engine.submit(message, durable=True)).prediction_id


async def _read(engine: Engine, prediction_id: str) -> None:
    prediction = await engine.get(prediction_id, _WAIT_S)
    if prediction is None or prediction.outcome is None or prediction.outcome.output != OUTPUT:
        raise WrongAnswer(f"Another prediction was expected: {prediction}")


SCRIPT = Script("redis_engine", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
