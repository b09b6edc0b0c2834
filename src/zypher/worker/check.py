"""One replica for a moment, without an engine: whether a model can be served."""

import asyncio

import msgspec

from zypher.clock import Clock
from zypher.errors import InvalidInput
from zypher.model_card import ModelCard
from zypher.models.schema import InputValidator
from zypher.prediction import Delivery, Failure, FailureKind, Message, Outcome, Status, new_prediction_id
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Attempt, Endings
from zypher.worker.decide import Settle, decide
from zypher.worker.events import Events
from zypher.worker.prediction_log import warn_of
from zypher.worker.process_replica import Launch, ProcessReplica


class CheckReport(msgspec.Struct, frozen=True):
    """What was found."""

    card: ModelCard
    load_s: float
    outcome: Outcome | None  # of the input, when one was given


async def check_model(launch: Launch, input: bytes | None, clock: Clock) -> CheckReport:
    """Load a model in a replica and run it once on `input` (JSON), if given. Raises `TargetError`."""
    began_s = clock.monotonic()
    endings = Endings()
    replica = ProcessReplica(1, launch, endings, Events(), clock, Metrics())
    await replica.start()
    ended = asyncio.ensure_future(replica.ended())
    try:
        card = await replica.loaded()
        load_s = clock.monotonic() - began_s
        outcome = None if input is None else await _run(replica, endings, card, input, clock)
        return CheckReport(card, load_s, outcome)
    finally:
        replica.close()
        await ended


async def _run(replica: ProcessReplica, endings: Endings, card: ModelCard, input: bytes, clock: Clock) -> Outcome:
    try:
        InputValidator(card).check(input)  # as a server does before it accepts
    except InvalidInput as error:
        return Outcome(Status.FAILED, failure=Failure(FailureKind.INVALID_INPUT, str(error)))
    now = clock.now()
    delivery = Delivery(Message(new_prediction_id(now, card.name), card.name, input, now), attempt=1, receipt="")
    replica.run(Attempt(delivery))
    (attempt,) = await endings.take()
    assert attempt.ending is not None
    warn_of(delivery, attempt.ending, is_last=True)
    decision = decide(attempt.ending, delivery, max_attempts=1)
    assert isinstance(decision, Settle), "the last attempt is not released"
    return decision.outcome
