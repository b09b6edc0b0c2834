"""The embedded engine: memory has the order, a journal has what must last."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from zypher.clock import Clock
from zypher.engines.contract import Settlement
from zypher.engines.embedded.acceptance import Acceptance
from zypher.engines.embedded.cards import Cards
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.ending import Ending
from zypher.engines.embedded.journal import DATA_LOST, FindResult, Journal, Lost, Mark, Standing, resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.embedded.memory.workers import Workers
from zypher.engines.embedded.receiving import Receiving
from zypher.engines.embedded.retention import Purger
from zypher.engines.refusals import STOPPING, model_in_use, stopping
from zypher.prediction import Delivery, Message, Outcome, Prediction, Status
from zypher.queue_state import QueueState, WorkerState

_NO_ROW = 0


class EmbeddedEngine:
    """The contract of `zypher.engines.contract`, for one process with one event loop.

    Durable predictions are in the journal when `submit` returns: the one on disk survives `kill -9` and a power
    cut, the one in memory the end of no process. The others live in memory. That an attempt began is written
    without a wait: after a crash the attempts of the last moment may not be counted. A read that fails raises
    `EngineUnavailable` like a write.
    """

    def __init__(self, journal: Journal, clock: Clock, *, queue_limit: int, retention_s: float, lease_s: float) -> None:
        self._clock = clock
        self._queue_limit = queue_limit
        self._retention = timedelta(seconds=retention_s)
        self._opened = False
        self._journal = journal
        self._predictions = Predictions(clock, queue_limit)
        self._workers = Workers(clock, lease_s)
        self._cards = Cards(journal)
        self._purger = Purger(clock, retention_s, journal.write)
        self._dead_letters = DeadLetters(clock, self._predictions, journal, retention_s)
        self._acceptance = Acceptance(clock, self._predictions, journal, self._dead_letters, retention_s)
        self._ending = Ending(clock, self._predictions, journal, self._dead_letters)
        self._receiving = Receiving(clock, self._predictions, journal, self._ending, lease_s)

    async def open(self) -> None:
        recovered = self._journal.open()
        for waiting in recovered.waiting:
            self._predictions.restore(waiting)
        self._dead_letters.restore(recovered.dead)
        self._cards.restore(recovered.cards)
        self._opened = True
        self._purger.start()

    async def close(self) -> None:
        """Every wait, for an end or a delivery, raises `EngineUnavailable`; so does every later call."""
        if not self._opened:
            return
        self._opened = False
        await self._purger.stop()
        self._receiving.stop()
        await self._journal.close()
        self._predictions.fail_all(STOPPING)

    async def submit(self, message: Message, *, durable: bool, idempotency_key: str | None = None) -> Prediction:
        durable = durable or idempotency_key is not None
        if not durable and self._opened and message.prediction_id not in self._predictions:
            return self._predictions.accept(message)
        while True:
            self._check_open()
            accepted = await self._submit(message, durable, idempotency_key)
            if isinstance(accepted, Prediction):
                return accepted
            standing = await self.get(accepted.prediction_id)
            if standing is not None:  # else its retention ended just now, and it can be accepted
                return standing

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction | None:
        self._check_open()
        entry = self._predictions.entries.get(prediction_id)
        if entry is None or entry.stage is Stage.ACCEPTING:
            return await self._get_ended(prediction_id)
        if wait_s is not None and wait_s <= 0:
            return self._predictions.state(entry)
        return await self._predictions.wait(entry, wait_s)

    async def read(self, prediction_id: str) -> None:
        self._check_open()
        self._journal.note_read(prediction_id)

    async def cancel(self, prediction_id: str) -> bool:
        self._check_open()
        entry = self._predictions.entries.get(prediction_id)
        if entry is None or not entry.queued:
            return False
        await self._ending.cancel(entry)
        return True

    async def receive(self, model: str, limit: int, wait_s: float) -> list[Delivery]:
        self._check_open()
        return await self._receiving.receive(model, limit, wait_s) if limit > 0 else []

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        self._check_open()
        await self._receiving.begin(deliveries)

    async def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        self._check_open()
        return [delivery for delivery in deliveries if not self._receiving.leases.extend(delivery.receipt)]

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        self._check_open()
        ended: list[tuple[Entry, Outcome]] = []
        counts: list[bool] = []
        for settlement in settlements:
            delivery = settlement.delivery
            entry = self._receiving.leases.end(delivery.receipt)
            counts.append(entry is not None)
            if entry is not None:
                entry.count(delivery.attempt)
                ended.append((entry, settlement.outcome))
        await self._ending.settle(ended)
        return counts

    async def release(self, delivery: Delivery, *, counted: bool, delay_s: float = 0) -> bool:
        self._check_open()
        entry = self._receiving.leases.end(delivery.receipt)
        if entry is None:
            return False
        if counted:
            entry.count(delivery.attempt)
        else:
            entry.attempt, entry.unbegun = delivery.attempt - 1, delivery.unbegun - (delay_s > 0)
        self._receiving.queue_again(entry, delay_s)
        return True

    async def announce(self, presence: WorkerState) -> None:
        self._check_open()
        is_new = self._workers.announce(presence)
        if presence.card is not None and not presence.gone:
            self._cards.keep(presence.model, presence.card, is_new=is_new)

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        self._check_open()
        return {each: self._depth(each) for each in (self._models() if model is None else [model])}

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        self._check_open()
        found = await asyncio.gather(*(self.get(each) for each in self._dead_letters.of(model)[:limit]))
        return [prediction for prediction in found if prediction is not None and prediction.status.terminal]

    async def replay(self, prediction_id: str) -> bool:
        self._check_open()
        return await self._dead_letters.replay(prediction_id)

    async def purge(self, prediction_id: str) -> bool:
        self._check_open()
        return await self._dead_letters.purge(prediction_id)

    async def forget(self, model: str) -> bool:
        self._check_open()
        queue, workers = self._predictions.queue(model), self._workers.of(model)
        in_use = model_in_use(model, workers=len(workers), unfinished=queue.queued + queue.running)
        if in_use is not None:
            raise in_use
        return await self._cards.forget(model)

    def _depth(self, model: str) -> QueueState:
        queue = self._predictions.queue(model)
        return QueueState(
            queued=queue.queued,
            running=queue.running,
            oldest_queued_at=queue.oldest_queued_at(),
            run_s=queue.run_s,
            limit=self._queue_limit,
            workers=self._workers.of(model),
            problem=self._journal.recovery.problem,
            delayed=self._receiving.delayed(model),
            dead=self._dead_letters.count(model),
            card=self._cards.of(model),
        )

    def _models(self) -> list[str]:
        known = self._cards.models() | self._workers.models()
        return sorted(known | self._predictions.models() | self._dead_letters.models())

    async def _submit(self, message: Message, durable: bool, key: str | None) -> Prediction | Standing:
        entry = self._predictions.entries.get(message.prediction_id)
        if entry is not None:
            return await self._submit_again(entry, message, durable)
        recent = self._predictions.recent.get(message.prediction_id)
        if recent is not None:
            return await self._acceptance.promote_ended(message, recent) if durable > recent.durable else recent
        return await self._acceptance.accept(message, key) if durable else self._predictions.accept(message)

    async def _submit_again(self, entry: Entry, message: Message, durable: bool) -> Prediction | Standing:
        if entry.submitters is not None and (durable or entry.stage is Stage.ACCEPTING):
            return await self._acceptance.written(entry)
        if durable and not entry.row:
            return await self._acceptance.promote(entry, message)
        return self._predictions.state(entry)

    async def _get_ended(self, prediction_id: str) -> Prediction | None:
        prediction = self._predictions.recent.get(prediction_id)
        if prediction is None:
            found = await self._find(prediction_id)
            if isinstance(found, Lost):
                return await self._get_lost(prediction_id)
            prediction = found
        return self._within_retention(prediction)

    def _within_retention(self, prediction: Prediction | None) -> Prediction | None:
        if prediction is None or prediction.finished_at is None:
            return None
        return prediction if prediction.finished_at + self._retention > self._clock.now() else None

    async def _find(self, prediction_id: str) -> Prediction | Lost | None:
        """What the journal has of a prediction that does not wait."""
        found: asyncio.Future[Prediction | Lost | None] = asyncio.get_running_loop().create_future()
        self._journal.read(FindResult(prediction_id, partial(resolve, found)))
        return await found

    async def _get_lost(self, prediction_id: str) -> Prediction | None:
        """What the journal has without an end: lost, unless it begins to wait now; None until it is accepted."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Behind all that was being written when it was read: its acceptance, its replay or its end may be among that.
        self._journal.write(Mark(_NO_ROW, 0, None, partial(resolve, written)))
        await written
        entry = self._predictions.entries.get(prediction_id)
        if entry is not None:
            return None if entry.stage is Stage.ACCEPTING else self._predictions.state(entry)
        lost = await self._find(prediction_id)
        if not isinstance(lost, Lost):
            return self._within_retention(lost)
        now = self._clock.now()
        submitted_at = lost.submitted_at or now
        return Prediction(prediction_id, lost.model, Status.FAILED, submitted_at, finished_at=now, outcome=DATA_LOST)

    def _check_open(self) -> None:
        if not self._opened:
            raise stopping()
