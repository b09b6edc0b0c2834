"""What may be asked, free of transport: submit, keep, get, abandon, readiness."""

from typing import NamedTuple, Protocol

import msgspec

from zypher.clock import Clock
from zypher.engines.contract import Operations, Submissions
from zypher.errors import NoReplica, PredictionNotFound, QueueFull, Unavailable
from zypher.gateway.admission import admit, retry_after_s, unready
from zypher.gateway.envelope import input_in
from zypher.gateway.large_bodies import LARGE_BYTES, LargeBodies
from zypher.gateway.received_body import ReceivedBody
from zypher.gateway.snapshot import Snapshot, SnapshotCache
from zypher.model_card import ModelCard
from zypher.prediction import Message, Prediction, new_prediction_id
from zypher.telemetry.metrics import Metrics


class Readiness(msgspec.Struct, frozen=True):
    """Whether a prediction sent now would run."""

    ready: bool
    problems: tuple[Unavailable, ...] = ()  # empty when ready


class Submitted(NamedTuple):
    """A prediction that was accepted, and the JSON of its input."""

    prediction: Prediction
    input: bytes


class GatewayEngine(Submissions, Operations, Protocol):
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
        self._draining = False
        self._admitted: dict[bool, tuple[Snapshot, ModelCard]] = {}  # the last admitting snapshot, by durability

    def serve_only(self, model: str) -> None:
        """Serve this model from now on, and no other."""
        self._snapshots.model = model

    def card(self) -> ModelCard | None:
        """The served model; None until it was loaded once."""
        return self._snapshots.snapshot.card

    async def submit(
        self, body: bytes | ReceivedBody, *, durable: bool, idempotency_key: str | None = None
    ) -> Submitted:
        """Accept a prediction; `body` is `{"input": …}`, and may be used up.

        Raises a `RequestError`, or an `Unavailable` with when to try again.
        """
        durable = durable or idempotency_key is not None
        try:
            card, input = await self._accept(body, durable=durable)
            now = self._clock.now()
            message = Message(new_prediction_id(now), card.name, input, now)
            prediction = await self._engine.submit(message, durable=durable, idempotency_key=idempotency_key)
        except Unavailable as refused:
            self._metrics.refused(type(refused).__name__)
            if isinstance(refused, QueueFull):
                raise QueueFull(str(refused), self._full_retry_s(), public=refused.public) from None
            raise
        self._metrics.submitted(card.name, durable=prediction.durable)
        return Submitted(prediction, input)

    async def keep(self, prediction: Prediction, input: bytes) -> Prediction:
        """Make a prediction whose caller waited survive a crash, as if it had been durable from the start."""
        message = Message(prediction.prediction_id, prediction.model, input, prediction.submitted_at)
        return await self._engine.submit(message, durable=True)

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction:
        """The prediction, waiting up to `wait_s` seconds (None: without end) for its end.

        Raises `PredictionNotFound`.
        """
        prediction = await self._engine.get(prediction_id, wait_s)
        if prediction is None:
            raise PredictionNotFound
        return prediction

    async def mark_read(self, prediction: Prediction) -> None:
        """Note that a client read its end: where space is short, its result may be purged first."""
        if prediction.durable and prediction.outcome is not None:
            await self._engine.read(prediction.prediction_id)

    async def abandon(self, prediction: Prediction) -> None:
        """Its only caller has disconnected: cancel it if it still waits and is not durable."""
        if not prediction.durable:
            await self._engine.cancel(prediction.prediction_id)

    def retry_after_s(self, prediction: Prediction) -> int:
        """Estimated whole seconds until it may have ended, at least 1."""
        return retry_after_s(prediction.position, self._snapshots.snapshot.queue)

    async def readiness(self) -> Readiness:
        """Whether a prediction sent now would run. Never raises."""
        try:
            snapshot = await self._snapshots.refresh()
        except Unavailable as error:
            return Readiness(ready=False, problems=(error,))
        if snapshot.problem:
            return Readiness(ready=False, problems=(NoReplica(snapshot.problem),))
        problems = unready(snapshot.card, snapshot.queue, draining=self._draining)
        return Readiness(ready=not problems, problems=problems)

    def drain(self) -> None:
        """Refuse new predictions from now on; go on serving those accepted."""
        self._draining = True
        self._admitted.clear()

    async def metrics_page(self) -> tuple[bytes, str]:
        """The page that Prometheus scrapes, and its content type; without the queues while the engine is away."""
        try:
            queues = await self._engine.queues()
        except Unavailable:
            queues = {}
        self._metrics.queues(queues, self._clock.now())
        return self._metrics.page()

    async def close(self) -> None:
        """Stop the process that checks large bodies."""
        await self._large_bodies.close()

    async def _accept(self, body: bytes | ReceivedBody, *, durable: bool) -> tuple[ModelCard, bytes]:
        """The model that may run the input now, and the input, which fits it."""
        if len(body) > LARGE_BYTES:
            card = await self._admit(durable=durable)
            return card, await self._checked(card, body)
        body = body if isinstance(body, bytes) else body.whole()
        input = body[input_in(body)]
        card = self._admitted_before(durable=durable) or await self._admit(durable=durable)
        self._snapshots.validator(card).check(input)
        return card, input

    async def _checked(self, card: ModelCard, body: bytes | ReceivedBody) -> bytes:
        """The input of a large body, which fits the model; an ordinary text needs no other process."""
        body = ReceivedBody(body) if isinstance(body, bytes) else body
        if self._snapshots.validator(card).takes_every_text and (text := body.take_text()) is not None:
            return text
        whole = body.whole()
        return whole[await self._large_bodies.check(card, whole)]

    def _admitted_before(self, *, durable: bool) -> ModelCard | None:
        """The model that the same snapshot has admitted already."""
        admitted = self._admitted.get(durable)
        if admitted is None or admitted[0] is not self._snapshots.snapshot or not self._snapshots.is_fresh():
            return None
        return admitted[1]

    async def _admit(self, *, durable: bool) -> ModelCard:
        snapshot = self._snapshots.snapshot if self._snapshots.is_fresh() else await self._snapshots.refresh()
        admitted = self._judge(snapshot, durable=durable)
        if isinstance(admitted, Unavailable):
            # A refusal needs a fresh snapshot: one of a moment ago must not refuse what could run now.
            admitted = self._judge(await self._snapshots.refresh(), durable=durable)
        if isinstance(admitted, Unavailable):
            raise admitted
        return admitted

    def _judge(self, snapshot: Snapshot, *, durable: bool) -> ModelCard | Unavailable:
        if snapshot.problem:
            return NoReplica(snapshot.problem)
        card = admit(snapshot.card, snapshot.queue, draining=self._draining, durable=durable)
        if not isinstance(card, Unavailable):
            self._admitted[durable] = (snapshot, card)
        return card

    def _full_retry_s(self) -> int:
        # There is room again once the first in the queue begins.
        return retry_after_s(1, self._snapshots.snapshot.queue)
