"""Predictions through Redis, without HTTP.

One `zypher worker` with a no-op model and 32 slots, its replica, Redis and the callers share both cores as the system
likes. 64 callers in one process use the engine as the gateway does: in each round of 4 s every caller submits 8 durable
predictions, one after the other, waits for each of them and reads its output, and begins again.
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter

import uvloop

from bench.deployment import redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.load import WrongAnswer
from bench.processes import Server
from bench.report import Script
from bench.servers import NOOP, OUTPUT
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine, Submission
from zypher.prediction import Message, new_prediction_id
from zypher.settings import EngineSettings

_SLOTS = "32"
_CALLERS = 64
_AT_ONCE = 8
_ROUND_S = 4.0
_WARM_UP_S = 1.0
_WAIT_S = 30.0
_INPUT = b'"Sample input data for the model"'


@dataclass(frozen=True, slots=True)
class _Round:
    per_s: float  # predictions
    redis_us: float  # CPU for each
    worker_us: float


def measure() -> list[Figure]:
    with (
        redis(pinned=False) as broker,
        worker(url(broker), NOOP, "--concurrency", _SLOTS, pinned=False) as back,
    ):
        rounds = uvloop.run(_rounds((broker, back)))
    return [
        Figure("predictions submitted, run and read", "/s", tuple(r.per_s for r in rounds), at_least=3_000),
        Figure("CPU of Redis for each", "µs", tuple(r.redis_us for r in rounds)),
        Figure("CPU of the worker and its replica for each", "µs", tuple(r.worker_us for r in rounds)),
    ]


async def _rounds(servers: tuple[Server, Server]) -> list[_Round]:
    engine = connect(EngineSettings(engine=url(servers[0])), SystemClock())
    await engine.open()
    try:
        await _round(engine, servers, _WARM_UP_S)
        return [await _round(engine, servers, _ROUND_S) for _ in range(ROUNDS)]
    finally:
        await engine.close()


async def _round(engine: Engine, servers: tuple[Server, Server], for_s: float) -> _Round:
    before_s = [each.threads_cpu_s() for each in servers]
    began = perf_counter()
    total = sum(await asyncio.gather(*(_submit_and_read(engine, began + for_s) for _ in range(_CALLERS))))
    elapsed_s = perf_counter() - began
    used_s = [each.threads_cpu_s() - before for each, before in zip(servers, before_s, strict=True)]
    return _Round(total / elapsed_s, *(each / total * 1e6 for each in used_s))


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
    message = Message(new_prediction_id(now, "Noop"), "Noop", _INPUT, now)
    (accepted,) = await engine.submit([Submission(message)], durable=True)
    return accepted.prediction_id


async def _read(engine: Engine, prediction_id: str) -> None:
    prediction = await engine.get(prediction_id, _WAIT_S)
    if prediction is None or prediction.outcome is None or prediction.outcome.output != OUTPUT:
        raise WrongAnswer(f"Another prediction was expected: {prediction}")


SCRIPT = Script("redis_engine", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
