"""One replica for a moment, without an engine: whether a model can be served."""

import asyncio

import msgspec

from zypher.clock import Clock
from zypher.errors import InvalidInput
from zypher.model_card import ModelCard
from zypher.models.schema import InputValidator
from zypher.prediction import Delivery, Failure, FailureKind, Message, Outcome, Status, new_prediction_id
from zypher.telemetry.metrics import Metrics
from zypher.worker.executor import Executor
from zypher.worker.replica import Launch, Replica
from zypher.worker.slots import Slots


class CheckReport(msgspec.Struct, frozen=True):
    """What was found."""

    card: ModelCard
    load_s: float
    outcome: Outcome | None  # of the input, when one was given


async def check_model(launch: Launch, input: bytes | None, clock: Clock) -> CheckReport:
    """Load a model in a replica and run it once on `input` (JSON), if given. Raises `TargetError`."""
    began_s = clock.monotonic()
    replica = Replica(1, launch)
    await replica.start()
    ended = asyncio.ensure_future(replica.ended())
    try:
        card = await replica.loaded()
        load_s = clock.monotonic() - began_s
        outcome = None if input is None else await _run(replica, card, input, clock)
        return CheckReport(card, load_s, outcome)
    finally:
        replica.stop()
        await ended


async def _run(replica: Replica, card: ModelCard, input: bytes, clock: Clock) -> Outcome:
    try:
        InputValidator(card).check(input)  # as a server does before it accepts
    except InvalidInput as error:
        return Outcome(Status.FAILED, failure=Failure(FailureKind.INVALID_INPUT, str(error)))
    slots = Slots()
    slots.add(replica)
    now = clock.now()
    delivery = Delivery(Message(new_prediction_id(now), card.name, input, now), attempt=1, receipt="")
    outcome = await Executor(slots, 1, Metrics()).execute(delivery)
    assert isinstance(outcome, Outcome), "with one attempt there is no retry"
    return outcome
