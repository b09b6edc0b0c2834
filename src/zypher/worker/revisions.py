"""Which deliveries of other revisions of the model this worker may run."""

from collections.abc import Sequence
from typing import Protocol

from zypher.clock import Clock, elapsed_s
from zypher.engines.contract import Deliveries, Workforce
from zypher.errors import InvalidInput
from zypher.model_card import ModelCard, revision_of
from zypher.models.schema import InputValidator
from zypher.prediction import Delivery, Message
from zypher.worker.attempt import Unfit
from zypher.worker.replicas import Replicas


class WorkerEngine(Deliveries, Workforce, Protocol):
    """What a worker needs of an engine."""


class Revisions:
    """Checks an input anew that was accepted for another revision: by this worker's card, then by those that live."""

    def __init__(self, engine: Workforce, replicas: Replicas, clock: Clock) -> None:
        self._engine = engine
        self._replicas = replicas
        self._clock = clock
        self._own: tuple[ModelCard | None, str] = (None, "")  # the card, and its revision
        self._validators: dict[str, InputValidator] = {}  # by revision

    def differs(self, delivery: Delivery) -> bool:
        """Whether the input was accepted for another revision than this worker's, as far as is known."""
        card = self._replicas.card
        if card is not None and card is not self._own[0]:
            self._own = (card, revision_of(card))
        return delivery.message.options.revision not in {"", self._own[1]}

    async def check(self, deliveries: Sequence[Delivery]) -> list[Unfit | None]:
        """For each why it cannot run here; None when its input fits. Raises `EngineUnavailable`."""
        assert self._replicas.card is not None, "a worker receives once it has a model"
        own = self._replicas.card
        problems = [self._problem(own, delivery.message) for delivery in deliveries]
        if not any(problems):
            return [None for _ in deliveries]
        workers = (await self._engine.queues(own.name))[own.name].workers
        living = [worker.card for worker in workers if worker.card is not None]
        return [
            None if problem is None else self._unfit(problem, delivery.message, living)
            for problem, delivery in zip(problems, deliveries, strict=True)
        ]

    def _unfit(self, problem: str, message: Message, living: Sequence[ModelCard]) -> Unfit:
        waited_s = elapsed_s(message.submitted_at, self._clock.now())
        return Unfit(problem, waited_s, any(self._problem(card, message) is None for card in living))

    def _problem(self, card: ModelCard, message: Message) -> str | None:
        revision = revision_of(card)
        if revision not in self._validators:
            self._validators[revision] = InputValidator(card)
        try:
            self._validators[revision].check(message.input)
        except InvalidInput as error:
            return str(error)
        return None
