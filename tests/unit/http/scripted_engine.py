"""An engine that does what the test sets: full, away, without workers; the test ends its predictions."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from tests.fake_clock import FakeClock
from zypher.engines.contract import Page, Submission
from zypher.errors import EngineUnavailable, IdempotencyKeyReused, QueueFull
from zypher.model_card import ModelCard
from zypher.prediction import Cancellation, Event, Failure, FailureKind, Message, Outcome, Prediction, Status
from zypher.queue_state import EngineWarning, QueueState, WorkerState

TEXT: dict[str, object] = {"type": "string"}
CARD = ModelCard("shout", "Say it louder.", TEXT, TEXT, {}, 1)


class ScriptedEngine:
    """Keeps the roles `Submissions` and `Workforce` of the engine contract, for one model."""

    def __init__(self, clock: FakeClock) -> None:
        self.limit = 100
        self.stores = True  # False: the disk is full
        self.workers: tuple[WorkerState, ...] = (WorkerState("worker", CARD.name, CARD, 1, 1, 1),)
        self.card: ModelCard | None = None  # that is kept without a worker
        self.warned: tuple[EngineWarning, ...] = ()
        self.outcome: Outcome | None = None  # what every prediction ends with at once, if set
        self.predictions: dict[str, Prediction] = {}
        self.inputs: dict[str, bytes] = {}
        self.events_of: dict[str, list[Event]] = {}  # by id
        self.read_ids: list[str] = []  # the ids of results that a client was given
        self._keys: dict[str, Message] = {}
        self.waiting: dict[asyncio.Event, str] = {}  # who waits for the end of which prediction
        self._clock = clock

    @property
    def only(self) -> Prediction:
        """The prediction, when there is one."""
        (prediction,) = self.predictions.values()
        return prediction

    async def submit(self, submissions: Sequence[Submission], *, durable: bool) -> list[Prediction]:
        return [self._submit(each.message, durable, each.idempotency_key) for each in submissions]

    async def keep(self, message: Message) -> Prediction:
        return self._submit(message, True, None)

    def _submit(self, message: Message, durable: bool, idempotency_key: str | None) -> Prediction:
        durable = durable or idempotency_key is not None
        if durable and not self.stores:
            raise EngineUnavailable("The disk is full; make room and try again.", 7)
        if idempotency_key is not None:
            first = self._keys.setdefault(idempotency_key, message)
            if first.input != message.input:
                raise IdempotencyKeyReused("The Idempotency-Key was already used with another input; send a new key.")
            message = first
        if len(self.predictions) >= self.limit:
            raise QueueFull("The queue is full; try again later.")
        known = self.predictions.get(message.prediction_id)
        queued = Prediction(
            message.prediction_id,
            message.model,
            Status.QUEUED,
            message.submitted_at,
            position=1,
            options=message.options,
        )
        self.inputs[message.prediction_id] = message.input
        self.predictions[message.prediction_id] = replace(known or queued, durable=durable)
        if self.outcome is not None:
            self.end(message.prediction_id, self.outcome)
        return self.predictions[message.prediction_id]

    async def read(self, prediction_id: str) -> None:
        self.read_ids.append(prediction_id)

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction | None:
        prediction = self.predictions.get(prediction_id)
        if prediction is None or prediction.outcome is not None or wait_s == 0:
            return prediction
        over = asyncio.Event()
        self.waiting[over] = prediction_id
        timer = None if wait_s is None else self._clock.call_later(wait_s, over.set)
        try:
            await over.wait()
        finally:
            del self.waiting[over]
            if timer is not None:
                timer.cancel()
        return self.predictions[prediction_id]

    def end(self, prediction_id: str, outcome: Outcome) -> None:
        """Settle a prediction, in any way, and wake whoever waits for it."""
        prediction = self.predictions[prediction_id]
        self.predictions[prediction_id] = replace(prediction, status=outcome.status, outcome=outcome, position=0)
        for over, awaited in self.waiting.items():
            if awaited == prediction_id:
                over.set()

    async def cancel(self, prediction_id: str) -> Cancellation:
        self.end(prediction_id, Outcome(Status.CANCELLED))
        return Cancellation.ENDED

    async def events(self, prediction_id: str, after: int = 0, wait_s: float = 0) -> list[Event] | None:
        return self.events_of.get(prediction_id, [])

    async def page(self, model: str, *, status: Status | None = None, limit: int = 100, after: str = "") -> Page:
        return Page(list(self.predictions.values()), None)

    async def announce(self, presence: WorkerState) -> None:
        self.workers = (presence,)

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        known = [] if self.card is None else [self.card.name]
        models = [*known, *(worker.model for worker in self.workers)] if model is None else [model]
        queue = QueueState(len(self.predictions), 0, None, 2.5, self.limit, self.workers, card=self.card)
        return dict.fromkeys(models, queue)

    def warnings(self) -> tuple[EngineWarning, ...]:
        return self.warned


def succeeded(output: bytes) -> Outcome:
    return Outcome(Status.SUCCEEDED, output=output)


def failed(message: str, kind: FailureKind = FailureKind.MODEL_ERROR) -> Outcome:
    return Outcome(Status.FAILED, failure=Failure(kind, message))
