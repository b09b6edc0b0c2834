"""The served model, its queue and its workers, read from the engine at most ten times a second."""

import asyncio

import msgspec

from zypher.clock import Clock
from zypher.engines.contract import Operations
from zypher.errors import EngineUnavailable
from zypher.model_card import ModelCard
from zypher.models.schema import InputValidator
from zypher.queue_state import QueueState

_FRESH_S = 0.1
_TIMEOUT_S = 2.0

_NOTHING = QueueState(queued=0, running=0, oldest_queued_at=None, run_s=None, limit=0, workers=())


class Snapshot(msgspec.Struct, frozen=True):
    """The engine at one moment."""

    card: ModelCard | None  # None until a worker announced one
    queue: QueueState
    problem: str | None = None  # why none of the models that are announced is served, a sentence


class SnapshotCache:
    """The newest snapshot, at most a tenth of a second old.

    `model` is the name of the only one that is served, "" before it is loaded; None is any that is announced.
    """

    def __init__(self, engine: Operations, clock: Clock, model: str | None) -> None:
        self.snapshot = Snapshot(None, _NOTHING)
        self.model = model
        self._engine = engine
        self._clock = clock
        self._taken_at_s = float("-inf")
        self._refreshing: asyncio.Task[Snapshot] | None = None
        self._refreshing_since_s = 0.0
        self._validator: tuple[ModelCard, InputValidator] | None = None

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

    def validator(self, card: ModelCard) -> InputValidator:
        """The input validator of this card, compiled once."""
        if self._validator is None or self._validator[0] is not card:
            self._validator = (card, InputValidator(card))
        return self._validator[1]

    async def _refresh(self) -> Snapshot:
        self.snapshot = await self._served()
        self._taken_at_s = self._clock.monotonic()
        return self.snapshot

    async def _served(self) -> Snapshot:
        """The named model; else that of the last snapshot while a worker announces it, else the only one announced."""
        last = self.snapshot.card
        if self.model is not None:
            return await self._of(self.model)
        if last is not None and (snapshot := await self._of(last.name)).queue.workers:
            return snapshot
        snapshots = [self._snapshot(model, queue) for model, queue in (await self._engine.queues()).items()]
        announced = [snapshot for snapshot in snapshots if snapshot.queue.workers]
        if len(announced) == 1:
            return announced[0]
        queue = msgspec.structs.replace(self.snapshot.queue, workers=())
        return Snapshot(last, queue, _ambiguous(announced) if announced else None)

    async def _of(self, model: str) -> Snapshot:
        """A snapshot of one model."""
        return self._snapshot(model, (await self._engine.queues(model))[model]) if model else Snapshot(None, _NOTHING)

    def _snapshot(self, model: str, queue: QueueState) -> Snapshot:
        """A snapshot of one model; while no worker announces it, it keeps its last card."""
        last = self.snapshot.card
        card = next((worker.card for worker in queue.workers if worker.card), None)
        # The same card stays the same object: what was made from it need not be made again.
        same = last is not None and last.name == model and card in (None, last)
        return Snapshot(last if same else card, queue)


def _retrieve_error(refreshing: asyncio.Task[Snapshot]) -> None:
    """Its callers may have disconnected; that the engine is unavailable needs no record in the log."""
    if not refreshing.cancelled():
        refreshing.exception()


def _ambiguous(announced: list[Snapshot]) -> str:
    names = " and ".join(snapshot.card.name for snapshot in announced if snapshot.card)
    return f"Workers announce the models {names}; say with --model which one this server serves."
