"""The served model, its queue and its workers, read from the engine at most ten times a second."""

import asyncio
from collections.abc import Sequence

import msgspec

from zypher.clock import Clock
from zypher.engines.contract import Workforce
from zypher.errors import EngineUnavailable, InvalidInput
from zypher.gateway.admission import revisions
from zypher.model_card import ModelCard, revision_of
from zypher.models.schema import InputValidator
from zypher.prediction import Options
from zypher.queue_state import QueueState

_FRESH_S = 0.1
_TIMEOUT_S = 2.0

_NOTHING = QueueState(queued=0, running=0, oldest_queued_at=None, run_s=None, limit=0, workers=())


class Revision(msgspec.Struct, frozen=True):
    """A model's card, and what it means for its inputs."""

    name: str  # see `revision_of`
    card: ModelCard
    options: Options  # of what it accepts


class Snapshot(msgspec.Struct, frozen=True):
    """The engine at one moment."""

    revisions: tuple[Revision, ...]  # whose inputs are accepted, the last new one first; () until a card is known
    queue: QueueState
    problem: str | None = None  # why none of the models that are known is served, a sentence

    @property
    def card(self) -> ModelCard | None:
        """The model as its clients see it; None until a card is known."""
        return self.revisions[0].card if self.revisions else None


class SnapshotCache:
    """The newest snapshot, at most a tenth of a second old.

    `model` is the name of the only one that is served, "" before it is loaded; None is any that is announced.
    """

    def __init__(self, engine: Workforce, clock: Clock, model: str | None) -> None:
        self.snapshot = Snapshot((), _NOTHING)
        self.model = model
        self._engine = engine
        self._clock = clock
        self._taken_at_s = float("-inf")
        self._refreshing: asyncio.Task[Snapshot] | None = None
        self._refreshing_since_s = 0.0
        self._validators: dict[str, InputValidator] = {}  # by revision

    def is_fresh(self) -> bool:
        """Whether `snapshot` is new enough to decide by."""
        return self._clock.monotonic() - self._taken_at_s < _FRESH_S

    async def refresh(self) -> Snapshot:
        """Read the engine, once for all concurrent callers.

        Raises `EngineUnavailable`, also when the engine is too slow to be waited for.
        """
        refreshing = self._refreshing
        if refreshing is None or refreshing.done():
            refreshing = self._refreshing = asyncio.create_task(self._refresh(), name="snapshot")
            refreshing.add_done_callback(_retrieve_error)
            self._refreshing_since_s = self._clock.monotonic()
        left_s = _TIMEOUT_S - (self._clock.monotonic() - self._refreshing_since_s)
        await asyncio.wait({refreshing}, timeout=max(0.0, left_s))
        if not refreshing.done():
            raise EngineUnavailable("The engine did not respond in time; try again, and check it if this persists.")
        return refreshing.result()

    def accepting(self, revisions: Sequence[Revision], input: bytes) -> Revision:
        """The first of these revisions that accepts the input. Raises the `InvalidInput` of the very first."""
        refused: InvalidInput | None = None
        for revision in revisions:
            try:
                self._validator(revision).check(input)
                return revision
            except InvalidInput as error:
                refused = refused or error
        assert refused is not None, "a model has a card"
        raise refused

    def takes_every_text(self, revision: Revision) -> bool:
        """Whether this revision accepts each well-formed text."""
        return self._validator(revision).takes_every_text

    def _validator(self, revision: Revision) -> InputValidator:
        """The input validator of this revision, compiled once."""
        validator = self._validators.get(revision.name)
        if validator is None:
            known = {each.name for each in self.snapshot.revisions}
            self._validators = {name: made for name, made in self._validators.items() if name in known}
            validator = self._validators[revision.name] = InputValidator(revision.card)
        return validator

    async def _refresh(self) -> Snapshot:
        self.snapshot = await self._served()
        self._taken_at_s = self._clock.monotonic()
        return self.snapshot

    async def _served(self) -> Snapshot:
        """The named model; else that of the last snapshot while a worker announces it, else the only one.

        The only one is that which workers announce; without any, that which is known.
        """
        last = self.snapshot.card
        if self.model is not None:
            return self._snapshot(await self._queue(self.model)) if self.model else Snapshot((), _NOTHING)
        if last is not None and (queue := await self._queue(last.name)).workers:
            return self._snapshot(queue)
        known = [queue for queue in (await self._engine.queues()).values() if revisions(queue)]
        announced = [queue for queue in known if queue.workers]
        candidates = announced or [queue for queue in known if last is not None and _name(queue) == last.name] or known
        if len(candidates) == 1:
            return self._snapshot(candidates[0])
        return Snapshot((), _NOTHING, _ambiguous(candidates) if candidates else None)

    async def _queue(self, model: str) -> QueueState:
        return (await self._engine.queues(model))[model]

    def _snapshot(self, queue: QueueState) -> Snapshot:
        """A snapshot of one model. An equal card stays the same object, and keeps what was made from it."""
        before = self.snapshot.revisions
        found: dict[str, Revision] = {}
        for card in revisions(queue):
            known = next((each for each in before if each.card == card), None)
            revision = known or _revision(card)
            found.setdefault(revision.name, revision)
        return Snapshot(tuple(found.values()), queue)


def _revision(card: ModelCard) -> Revision:
    name = revision_of(card)
    return Revision(name, card, Options(revision=name))


def _retrieve_error(refreshing: asyncio.Task[Snapshot]) -> None:
    """Its callers may have disconnected; that the engine is unavailable needs no record in the log."""
    if not refreshing.cancelled():
        refreshing.exception()


def _name(queue: QueueState) -> str:
    return revisions(queue)[0].name


def _ambiguous(candidates: Sequence[QueueState]) -> str:
    names = " and ".join(_name(queue) for queue in candidates)
    return f"Workers announce the models {names}; say with --model which one this server serves."
