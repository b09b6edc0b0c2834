"""What a prediction costs Redis while few or many wait.

Redis on the first core; on the second, 64 callers in one process use the engine as the gateway and a worker do. First
100,000 durable predictions are submitted to one model, 10 to another. Then both models take turns, eight in each round:
a turn submits 640 predictions, receives the 640 that are oldest, 32 at a time, settles and reads them, so that as many
wait afterwards as before. The cost is the CPU time of Redis for each prediction. Memory is what `used_memory` gained by
the 100,000, in each fifth of them, without their inputs; and by the results of each round, without their outputs.
"""

import asyncio
import re
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import TypeVar

import uvloop

from bench.costs import details, ratios
from bench.deployment import redis, url
from bench.figure import ROUNDS, Figure
from bench.processes import Server, ServerError
from bench.report import Script
from bench.servers import OUTPUT
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine, Settlement, Submission
from zypher.prediction import Delivery, Message, Outcome, Status, new_prediction_id
from zypher.settings import EngineSettings

_OUTCOME = Outcome(Status.SUCCEEDED, OUTPUT, run_s=0.001)
_FEW = 10
_MANY = 100_000
_TURNS = 8
_OPERATIONS = 640  # in each turn
_CALLERS = 64
_SLOTS = 32
_QUEUE_LIMIT = 200_000
_INPUT = b'"Sample input data for the model"'
_USED_MEMORY = re.compile(rb"used_memory:(\d+)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Costs:
    """Microseconds of Redis for each prediction."""

    submit: float
    receive: float
    settle: float
    read: float

    @classmethod
    def mean(cls, turns: "Sequence[_Costs]") -> "_Costs":
        return cls(
            submit=fmean(turn.submit for turn in turns),
            receive=fmean(turn.receive for turn in turns),
            settle=fmean(turn.settle for turn in turns),
            read=fmean(turn.read for turn in turns),
        )


@dataclass(frozen=True, slots=True)
class _Round:
    few: _Costs
    many: _Costs
    result_bytes: float  # of each result, beyond its output


class _Line:
    """A model for which a number of predictions wait."""

    def __init__(self, engine: Engine, broker: Server, model: str) -> None:
        self._engine = engine
        self._broker = broker
        self._model = model

    async def turn(self) -> _Costs:
        """Submit, receive, settle and read as many predictions; as many wait afterwards as before."""
        before_us = self._redis_us()
        await self.submit(_OPERATIONS)
        submitted_us = self._redis_us()
        deliveries = await self._receive(_OPERATIONS)
        received_us = self._redis_us()
        await _shared(deliveries, self._settle)
        settled_us = self._redis_us()
        await _shared(deliveries, self._read)
        read_us = self._redis_us()
        return _Costs(
            submit=(submitted_us - before_us) / _OPERATIONS,
            receive=(received_us - submitted_us) / _OPERATIONS,
            settle=(settled_us - received_us) / _OPERATIONS,
            read=(read_us - settled_us) / _OPERATIONS,
        )

    async def submit(self, count: int) -> None:
        await _shared(range(count), self._submit)

    async def _submit(self, _: int) -> None:
        now = datetime.now(UTC)
        message = Message(new_prediction_id(now, self._model), self._model, _INPUT, now)
        await self._engine.submit([Submission(message)], durable=True)

    async def _receive(self, count: int) -> list[Delivery]:
        deliveries: list[Delivery] = []
        while len(deliveries) < count:
            deliveries += await self._engine.receive(self._model, min(_SLOTS, count - len(deliveries)), 1)
        return deliveries

    async def _settle(self, delivery: Delivery) -> None:
        if not all(await self._engine.settle([Settlement(delivery, _OUTCOME)])):
            raise ServerError("A delivery that was ours could not be settled.")

    async def _read(self, delivery: Delivery) -> None:
        prediction = await self._engine.get(delivery.message.prediction_id)
        if prediction is None or prediction.outcome is None:
            raise ServerError("A prediction that was settled has no outcome.")

    def _redis_us(self) -> float:
        return self._broker.threads_cpu_s() * 1e6


def measure() -> list[Figure]:
    with redis() as broker:
        return uvloop.run(_figures(broker))


async def _figures(broker: Server) -> list[Figure]:
    engine = connect(EngineSettings(engine=url(broker), queue_limit=_QUEUE_LIMIT), SystemClock())
    await engine.open()
    try:
        few, many = _Line(engine, broker, "few"), _Line(engine, broker, "many")
        await few.submit(_FEW)
        waiting_bytes = [await _waiting_bytes(many, broker) for _ in range(ROUNDS)]
        await few.turn()  # warms up
        rounds = [await _round(few, many, broker) for _ in range(ROUNDS)]
    finally:
        await engine.close()
    few_costs, many_costs = [each.few for each in rounds], [each.many for each in rounds]
    return [
        Figure("memory of one that waits, beyond the input", "B", tuple(waiting_bytes), at_most=400),
        Figure("memory of a result, beyond the output", "B", tuple(each.result_bytes for each in rounds)),
        *ratios(_OPERATION_COSTS, few_costs, many_costs),
        *details(_OPERATION_COSTS, few_costs, many_costs),
    ]


async def _round(few: _Line, many: _Line, broker: Server) -> _Round:
    before = _used_bytes(broker)
    turns = [(await few.turn(), await many.turn()) for _ in range(_TURNS)]
    result_bytes = (_used_bytes(broker) - before) / (2 * _TURNS * _OPERATIONS) - len(OUTPUT)
    return _Round(_Costs.mean([few for few, _ in turns]), _Costs.mean([many for _, many in turns]), result_bytes)


async def _waiting_bytes(line: _Line, broker: Server) -> float:
    """Of one prediction."""
    before, count = _used_bytes(broker), _MANY // ROUNDS
    await line.submit(count)
    return (_used_bytes(broker) - before) / count - len(_INPUT)


def _used_bytes(broker: Server) -> int:
    with socket.create_connection(("127.0.0.1", broker.port)) as connection:
        connection.sendall(b"INFO memory\r\n")
        found = _USED_MEMORY.search(connection.recv(65_536))
    if found is None:
        raise ServerError("Redis does not say how much memory it uses.")
    return int(found[1])


async def _shared(items: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Each item is worked on by one of the callers."""

    async def call(share: Sequence[T]) -> None:
        for item in share:
            await work(item)

    await asyncio.gather(*(call(items[start::_CALLERS]) for start in range(_CALLERS)))


_OPERATION_COSTS: dict[str, Callable[[_Costs], float]] = {
    "submit": lambda costs: costs.submit,
    "receive": lambda costs: costs.receive,
    "settle": lambda costs: costs.settle,
    "read": lambda costs: costs.read,
    "all of it": lambda costs: costs.submit + costs.receive + costs.settle + costs.read,
}


SCRIPT = Script("redis_depth", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
