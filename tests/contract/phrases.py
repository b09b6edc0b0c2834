"""What the contract tests say to an engine, in few words."""

import asyncio
from datetime import UTC, datetime
from itertools import count

from zypher.engines.contract import Engine, Settlement, Submission, Submissions
from zypher.prediction import (
    NO_OPTIONS,
    Delivery,
    Failure,
    FailureKind,
    Message,
    Options,
    Outcome,
    Prediction,
    Status,
    new_prediction_id,
)
from zypher.queue_state import QueueState

MODEL = "model"
SUCCEEDED = Outcome(Status.SUCCEEDED, output=b'{"result":"1"}', run_s=0.25)
OTHER = Outcome(Status.SUCCEEDED, output=b'{"result":"2"}', run_s=0.5)
FAILED = Outcome(Status.FAILED, failure=Failure(FailureKind.MODEL_ERROR, "ValueError: schön \N{SNOWMAN}"), run_s=0.5)
LOST = Outcome(Status.FAILED, failure=Failure(FailureKind.WORKER_LOST, "worker_lost: killed by signal 9"))

_numbers = count()


def message(input: bytes = b'"hello"', model: str = MODEL, options: Options = NO_OPTIONS) -> Message:
    """A message that nobody sent before."""
    at = datetime(2026, 1, 1, 0, 0, 0, next(_numbers) % 1_000_000, tzinfo=UTC)
    return Message(new_prediction_id(at, model), model, input, at, options)


async def submit_one(
    engine: Submissions, message: Message, *, durable: bool, idempotency_key: str | None = None
) -> Prediction:
    """The prediction that stands for this message."""
    (accepted,) = await engine.submit([Submission(message, idempotency_key)], durable=durable)
    return accepted


async def submit_many(engine: Engine, number: int, *, durable: bool = True) -> list[str]:
    """Submit so many, one after the other; returns their ids in order."""
    return [(await submit_one(engine, message(), durable=durable)).prediction_id for _ in range(number)]


async def receive_one(engine: Engine, model: str = MODEL) -> Delivery:
    deliveries = await engine.receive(model, 1, 0)
    assert len(deliveries) == 1
    return deliveries[0]


async def settle_one(engine: Engine, delivery: Delivery, outcome: Outcome) -> bool:
    """Whether this outcome of this delivery counts."""
    (counts,) = await engine.settle([Settlement(delivery, outcome)])
    return counts


async def receive_ids(engine: Engine, limit: int = 1000, model: str = MODEL) -> list[str]:
    """The ids of what can be received now, in order, however many calls that takes."""
    ids: list[str] = []
    while deliveries := await engine.receive(model, limit, 0):
        ids += [delivery.message.prediction_id for delivery in deliveries]
    return ids


async def get(engine: Engine, prediction_id: str) -> Prediction:
    prediction = await engine.get(prediction_id)
    assert prediction is not None
    return prediction


async def status(engine: Engine, prediction_id: str) -> Status:
    return (await get(engine, prediction_id)).status


async def depth(engine: Engine, model: str = MODEL) -> QueueState:
    return (await engine.queues(model))[model]


async def models(engine: Engine) -> list[str]:
    """The names of those that are in use."""
    return list(await engine.queues())


async def turns(number: int = 10) -> None:
    """Let every task that can go on go on."""
    for _ in range(number):
        await asyncio.sleep(0)
