"""What may be asked, free of transport: submit, keep, get, abandon, readiness."""

from typing import NamedTuple, Protocol

import msgspec

from zypher.clock import Clock
from zypher.engines.engine import Operations, Submissions
from zypher.errors import NoReplica, PredictionNotFound, QueueFull, Refused
from zypher.gateway.admission import admit, unready
from zypher.gateway.envelope import input_in
from zypher.gateway.estimate import retry_after_s
from zypher.gateway.large_bodies import LARGE_BYTES, LargeBodies
from zypher.gateway.outlook import Outlook, View
from zypher.prediction import Message, Prediction, new_prediction_id
from zypher.presence import ModelCard
from zypher.telemetry.metrics import Metrics


class Readiness(msgspec.Struct, frozen=True):
    """Whether a prediction sent now would run."""

    ready: bool
    problems: tuple[Refused, ...] = ()  # empty when ready


class Submitted(NamedTuple):
    """A prediction that was accepted, and the JSON of its input."""

    prediction: Prediction
    input: bytes


class Asked(Submissions, Operations, Protocol):
    """What the gateway needs of an engine: who submits and who looks, not who works."""


class Gateway:
    """Accepts predictions for an engine and answers for them.

    `model` is the name of the only model to serve, "" while it is not known; None is whichever is announced.
    """

    def __init__(self, engine: Asked, clock: Clock, metrics: Metrics, model: str | None) -> None:
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._outlook = Outlook(engine, clock, model)
        self._large_bodies = LargeBodies()
        self._draining = False
        self._admitted: dict[bool, tuple[View, ModelCard]] = {}  # the last yes, of durable predictions and of others

    def serve_only(self, model: str) -> None:
        """Serve this model from now on, and no other."""
        self._outlook.model = model

    def card(self) -> ModelCard | None:
        """The served model; None until it was loaded once."""
        return self._outlook.view.card

    async def submit(self, body: bytes, *, durable: bool, idempotency_key: str | None = None) -> Submitted:
        """Accept a prediction; `body` is `{"input": …}`.

        Raises a `RequestError`, or a `Refused` with when to try again.
        """
        durable = durable or idempotency_key is not None
        try:
            card, input = await self._accept(body, durable=durable)
            now = self._clock.now()
            message = Message(new_prediction_id(now), card.name, input, now)
            prediction = await self._engine.submit(message, durable=durable, idempotency_key=idempotency_key)
        except Refused as refused:
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

    async def was_read(self, prediction: Prediction) -> None:
        """A client is given how it ended: where space is short it may go first."""
        if prediction.durable and prediction.outcome is not None:
            await self._engine.read(prediction.prediction_id)

    async def abandon(self, prediction: Prediction) -> None:
        """Its only caller has gone: if it still waits and nobody can ask for it again, it need not run."""
        if not prediction.durable:
            await self._engine.cancel(prediction.prediction_id)

    def retry_after_s(self, prediction: Prediction) -> int:
        """Whole seconds until it may be worth asking again, at least 1."""
        return retry_after_s(prediction.position, self._outlook.view.depth)

    async def readiness(self) -> Readiness:
        """Whether a prediction sent now would run. Never raises."""
        try:
            view = await self._outlook.look()
        except Refused as away:
            return Readiness(ready=False, problems=(away,))
        if view.problem:
            return Readiness(ready=False, problems=(NoReplica(view.problem),))
        problems = unready(view.card, view.depth, draining=self._draining)
        return Readiness(ready=not problems, problems=problems)

    def drain(self) -> None:
        """Refuse new predictions from now on; go on answering for those accepted."""
        self._draining = True
        self._admitted.clear()

    async def metrics_page(self) -> tuple[bytes, str]:
        """The page that Prometheus scrapes, and its content type; without the queues while the engine is away."""
        try:
            depths = await self._engine.depths()
        except Refused:
            depths = {}
        self._metrics.depths(depths, self._clock.now())
        return self._metrics.page()

    async def close(self) -> None:
        """End what was started to check large bodies."""
        await self._large_bodies.close()

    async def _accept(self, body: bytes, *, durable: bool) -> tuple[ModelCard, bytes]:
        """The model that may run the input now, and the input, which fits it."""
        if len(body) > LARGE_BYTES:
            card = await self._admit(durable=durable)
            return card, body[await self._large_bodies.check(card, body)]
        input = body[input_in(body)]
        card = await self._admit(durable=durable)
        self._outlook.validator(card).check(input)
        return card, input

    async def _admit(self, *, durable: bool) -> ModelCard:
        view = self._outlook.view if self._outlook.fresh() else await self._outlook.look()
        admitted = self._judge(view, durable=durable)
        if isinstance(admitted, Refused):
            # Before a no, a second look: a view of a moment ago must not turn away what could run now.
            admitted = self._judge(await self._outlook.look(), durable=durable)
        if isinstance(admitted, Refused):
            raise admitted
        return admitted

    def _judge(self, view: View, *, durable: bool) -> ModelCard | Refused:
        admitted = self._admitted.get(durable)
        if admitted is not None and admitted[0] is view:
            return admitted[1]
        if view.problem:
            return NoReplica(view.problem)
        card = admit(view.card, view.depth, draining=self._draining, durable=durable)
        if not isinstance(card, Refused):
            self._admitted[durable] = (view, card)
        return card

    def _full_retry_s(self) -> int:
        # The queue has room again once the first of the waiting ones begins.
        return retry_after_s(1, self._outlook.view.depth)
