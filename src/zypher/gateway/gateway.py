"""What may be asked, free of transport: submit, keep, get, cancel, readiness."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from zypher.clock import Clock
from zypher.engines.contract import Submission, Submissions, Workforce
from zypher.errors import AlreadyEnded, InvalidInput, NoReplica, PredictionNotFound, QueueFull, Unavailable
from zypher.gateway.admission import Demand, admit, no_replica, retry_after_s, retry_unserved_s, unready, unready_to_run
from zypher.gateway.envelope import input_in
from zypher.gateway.large_bodies import LARGE_BYTES, LargeBodies
from zypher.gateway.received_body import ReceivedBody
from zypher.gateway.snapshot import Revision, Snapshot, SnapshotCache
from zypher.model_card import ModelCard
from zypher.prediction import (
    Cancellation,
    EventKind,
    Message,
    Options,
    Prediction,
    Status,
    new_prediction_id,
)
from zypher.telemetry.metrics import Metrics


class Readiness(msgspec.Struct, frozen=True):
    """Whether what was asked for can be done now."""

    ready: bool
    problems: tuple[Unavailable, ...] = ()  # empty when ready
    warnings: tuple[str, ...] = ()  # sentences about the engine, which is used all the same


class Terms(msgspec.Struct, frozen=True):
    """How long the sender of a prediction lets it take."""

    timeout_s: float | None = None  # longest run of an attempt; None: what the model may
    deadline_s: float | None = None  # from its acceptance on; it is not started later


NO_TERMS = Terms()


class Submitted(msgspec.Struct, frozen=True):
    """A prediction that was accepted."""

    prediction: Prediction
    message: Message


class GatewayEngine(Submissions, Workforce, Protocol):
    """What the gateway needs of an engine."""


class Gateway:
    """Accepts predictions for an engine, and reads their state and results.

    `model` is the name of the only model to serve, "" before it is loaded; None is any that is announced.
    """

    def __init__(self, engine: GatewayEngine, clock: Clock, metrics: Metrics, model: str | None) -> None:
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._snapshots = SnapshotCache(engine, clock, model)
        self._large_bodies = LargeBodies()
        self._retired = self._draining = False
        self._admitted: dict[Demand, Snapshot] = {}  # the last snapshot that admitted each

    def serve_only(self, model: str) -> None:
        """Serve this model from now on, and no other."""
        self._snapshots.model = model

    def card(self) -> ModelCard | None:
        """The served model; None until it was loaded once."""
        return self._snapshots.snapshot.card

    async def submit(
        self,
        body: bytes | ReceivedBody,
        demand: Demand,
        idempotency_key: str | None = None,
        terms: Terms = NO_TERMS,
    ) -> Submitted:
        """Accept a prediction; `body` is `{"input": …}`, and may be used up.

        An idempotency key makes it durable, whatever the demand.

        Raises a `RequestError`, or an `Unavailable` with when to try again.
        """
        if idempotency_key is not None:
            demand = Demand.DURABLE
        durable = demand is Demand.DURABLE
        try:
            revision, input = await self._accept(body, demand)
            now = self._clock.now()
            model = revision.card.name
            options = revision.options if terms is NO_TERMS else _options(revision, terms, now)
            message = Message(new_prediction_id(now, model), model, input, now, options)
            (prediction,) = await self._engine.submit([Submission(message, idempotency_key)], durable=durable)
        except Unavailable as refused:
            self._metrics.refused(type(refused).__name__)
            if isinstance(refused, QueueFull):
                raise QueueFull(str(refused), self._full_retry_s(), public=refused.public) from None
            raise
        self._metrics.submitted(message.model, durable=prediction.durable)
        return Submitted(prediction, message)

    async def keep(self, message: Message) -> Prediction:
        """Make a prediction whose caller waited survive a crash, as if it had been durable from the start."""
        return await self._engine.keep(message)

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction:
        """The prediction, waiting up to `wait_s` seconds (None: without end) for its end.

        Raises `PredictionNotFound`.
        """
        prediction = await self._engine.get(prediction_id, wait_s)
        if prediction is None:
            raise PredictionNotFound
        return prediction

    async def cancel(self, prediction_id: str) -> bool:
        """End a prediction that waits, or ask for the end of one that runs: whether it has ended.

        Raises `PredictionNotFound` and `AlreadyEnded`.
        """
        match await self._engine.cancel(prediction_id):
            case Cancellation.UNKNOWN:
                raise PredictionNotFound
            case Cancellation.TOO_LATE:
                raise AlreadyEnded
            case cancellation:
                return cancellation is Cancellation.ENDED

    async def progress(self, prediction: Prediction) -> bytes | None:
        """What the attempt that runs has reported last of how far it is, JSON; None when there is no such."""
        if prediction.status is not Status.RUNNING:
            return None
        events = await self._engine.events(prediction.prediction_id) or ()
        reported = [each for each in events if each.kind is EventKind.PROGRESS and each.attempt >= prediction.attempt]
        return reported[-1].content if reported else None

    async def mark_read(self, prediction: Prediction) -> None:
        """Note that a client read its end: where space is short, its result may be purged first."""
        if prediction.durable and prediction.outcome is not None:
            await self._engine.read(prediction.prediction_id)

    async def abandon(self, prediction: Prediction) -> None:
        """Its only caller has disconnected: cancel it, waiting or running, if it is not durable."""
        if not prediction.durable:
            await self._engine.cancel(prediction.prediction_id)

    def waits_for_worker(self, prediction: Prediction) -> bool:
        """Whether it has not ended, no replica can run it, and none is on its way."""
        return prediction.outcome is None and no_replica(self._snapshots.snapshot.queue) is not None

    def retry_after_s(self, prediction: Prediction) -> int:
        """Estimated whole seconds until it may have ended, at least 1; longer and longer while no worker can run it."""
        snapshot = self._snapshots.snapshot
        served = snapshot.card is not None and snapshot.card.name == prediction.model
        if prediction.status is Status.QUEUED and (not served or no_replica(snapshot.queue) is not None):
            return retry_unserved_s((self._clock.now() - prediction.submitted_at).total_seconds())
        return retry_after_s(prediction.position, snapshot.queue)

    async def readiness(self, *, run: bool = False) -> Readiness:
        """Whether a prediction sent now would be accepted if it is durable; with `run`, would run. Never raises."""
        try:
            snapshot = await self._snapshots.refresh()
        except Unavailable as error:
            return Readiness(ready=False, problems=(error,))
        if snapshot.problem:
            return Readiness(ready=False, problems=(NoReplica(snapshot.problem),))
        check = unready_to_run if run else unready
        problems = check(snapshot.card, snapshot.queue, draining=self._retired)
        return Readiness(ready=not problems, problems=problems, warnings=warnings_in(self._engine))

    def retire(self) -> None:
        """Be not ready from now on; go on accepting."""
        self._retired = True

    def drain(self) -> None:
        """Refuse new predictions from now on; go on serving those accepted."""
        self._retired = self._draining = True
        self._admitted.clear()

    async def metrics_page(self) -> tuple[bytes, str]:
        """The page that Prometheus scrapes, and its content type; without the queues while the engine is away."""
        try:
            queues = await self._engine.queues()
        except Unavailable:
            queues = {}
        self._metrics.queues(queues, self._clock.now())
        self._metrics.warnings(self._engine.warnings())
        return self._metrics.page()

    async def close(self) -> None:
        """Stop the process that checks large bodies."""
        await self._large_bodies.close()

    async def _accept(self, body: bytes | ReceivedBody, demand: Demand) -> tuple[Revision, bytes]:
        """The revision of the model that accepts the input, and the input."""
        if len(body) > LARGE_BYTES:
            return await self._accept_large(body, await self._admit(demand))
        body = body if isinstance(body, bytes) else body.whole()
        input = body[input_in(body)]
        revisions = self._admitted_before(demand) or await self._admit(demand)
        return self._snapshots.accepting(revisions, input), input

    async def _accept_large(self, body: bytes | ReceivedBody, revisions: Sequence[Revision]) -> tuple[Revision, bytes]:
        """The same for a large body; an ordinary text needs no other process."""
        body = ReceivedBody(body) if isinstance(body, bytes) else body
        refused: InvalidInput | None = None
        for revision in revisions:
            if self._snapshots.takes_every_text(revision) and (text := body.take_text()) is not None:
                return revision, text
            whole = body.whole()
            try:
                return revision, whole[await self._large_bodies.check(revision.card, whole)]
            except InvalidInput as error:
                refused = refused or error
        assert refused is not None, "a model has a card"
        raise refused

    def _admitted_before(self, demand: Demand) -> Sequence[Revision] | None:
        """The revisions of the model, if this very snapshot has admitted such a prediction already."""
        snapshot = self._snapshots.snapshot
        if self._admitted.get(demand) is not snapshot or not self._snapshots.is_fresh():
            return None
        return snapshot.revisions

    async def _admit(self, demand: Demand) -> Sequence[Revision]:
        """The revisions of the model, any of which may accept the input."""
        snapshot = self._snapshots.snapshot if self._snapshots.is_fresh() else await self._snapshots.refresh()
        refused = self._refusal(snapshot, demand)
        if refused is not None:
            # A refusal needs a fresh snapshot: one of a moment ago must not refuse what could run now.
            snapshot = await self._snapshots.refresh()
            refused = self._refusal(snapshot, demand)
        if refused is not None:
            raise refused
        self._admitted[demand] = snapshot
        return snapshot.revisions

    def _refusal(self, snapshot: Snapshot, demand: Demand) -> Unavailable | None:
        if snapshot.problem:
            return NoReplica(snapshot.problem)
        return admit(snapshot.card, snapshot.queue, demand, draining=self._draining)

    def _full_retry_s(self) -> int:
        # There is room again once the first in the queue begins.
        return retry_after_s(1, self._snapshots.snapshot.queue)


def _options(revision: Revision, terms: Terms, now: datetime) -> Options:
    deadline = None if terms.deadline_s is None else now + timedelta(seconds=terms.deadline_s)
    return msgspec.structs.replace(revision.options, timeout_s=terms.timeout_s, deadline=deadline)


def warnings_in(engine: Workforce) -> tuple[str, ...]:
    """The sentences of the engine's warnings."""
    return tuple(warning.sentence for warning in engine.warnings())
