"""The embedded engine: memory has the order, a journal has what must last."""

import asyncio
from collections.abc import Sequence
from functools import partial

from zypher.clock import Clock
from zypher.engines.contract import Page, Settlement, Stop, Submission
from zypher.engines.embedded.acceptance import Acceptance
from zypher.engines.embedded.cards import Cards
from zypher.engines.embedded.dead_letters import DeadLetters
from zypher.engines.embedded.deadlines import Deadlines
from zypher.engines.embedded.ending import CANCELLED, Ending
from zypher.engines.embedded.engine_clock import EngineClock
from zypher.engines.embedded.events import Events
from zypher.engines.embedded.journal import Journal, Pause, SetClock, Standing, WaitingRow, all_written, resolve
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.embedded.memory.workers import Workers
from zypher.engines.embedded.receiving import Receiving
from zypher.engines.embedded.results import Results
from zypher.engines.embedded.retention import Purger
from zypher.engines.forgetting import end_queued, model_in_use
from zypher.engines.refusals import STOPPING, stopping
from zypher.errors import EngineUnavailable
from zypher.prediction import PRIORITIES, Cancellation, Delivery, Event, Lane, Message, Outcome, Prediction, Status
from zypher.queue_state import EngineWarning, QueueState, WorkerState

_HIGHEST = 2**63 - 1  # number that a journal can look for


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
        self._opened = False
        self._journal = journal
        self._engine_clock = EngineClock(clock, retention_s)
        self._predictions = Predictions(clock, self._engine_clock, queue_limit)
        self._workers = Workers(clock, lease_s)
        self._cards = Cards(journal)
        self._purger = Purger(clock, self._engine_clock, journal.write)
        self._dead_letters = DeadLetters(self._engine_clock, self._predictions, journal)
        self._results = Results(clock, self._engine_clock, self._predictions, journal)
        self._events = Events(clock, self._predictions, journal)
        self._ending = Ending(self._engine_clock, self._predictions, journal, self._dead_letters)
        self._deadlines = Deadlines(clock, self._predictions, self._ending)
        self._acceptance = Acceptance(
            self._engine_clock, self._predictions, journal, self._deadlines, self._dead_letters
        )
        self._receiving = Receiving(clock, self._predictions, journal, self._ending, self._deadlines, lease_s)

    async def open(self) -> None:
        recovered = self._journal.open()
        self._engine_clock.start(recovered.moment)
        for model in recovered.paused:
            self._predictions.queue(model).pause(paused=True)
        for waiting in recovered.waiting:
            self._restore(waiting)
        self._dead_letters.restore(recovered.dead)
        self._cards.restore(recovered.cards)
        self._opened = True
        self._purger.start()

    async def close(self) -> None:
        """Every wait for an end returns; every one for a delivery raises `EngineUnavailable`, as does a later call."""
        if not self._opened:
            return
        self._opened = False
        await self._purger.stop()
        self._receiving.stop()
        self._deadlines.stop()
        self._events.stop()
        self._journal.write(SetClock(self._engine_clock.moment()))
        await self._journal.close()
        self._predictions.end_waits(STOPPING)

    async def submit(self, submissions: Sequence[Submission], *, durable: bool) -> list[Prediction]:
        self._check_open()
        if not submissions:
            return []
        if not durable and self._fit_memory(submissions):
            return self._acceptance.accept(submissions)
        while True:
            new = self._are_new(submissions)
            accepted = await (self._acceptance.store(submissions) if new else self._submit(submissions, durable))
            found = [each for each in accepted if isinstance(each, Prediction)]
            if len(found) < len(accepted):
                found = await self._with_standing(accepted)
            if found is not None:
                return found
            self._check_open()

    async def keep(self, message: Message) -> Prediction:
        self._check_open()
        entry = self._predictions.entries.get(message.prediction_id)
        recent = self._results.recent(message.prediction_id)
        if recent is not None and not recent.prediction.durable:
            return await self._acceptance.keep_ended(message, recent)
        if entry is not None and not entry.row:
            kept = await self._with_standing([await self._acceptance.keep(entry, message)])
            if kept is not None:
                return kept[0]
        (kept,) = await self.submit([Submission(message)], durable=True)
        return kept

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction | None:
        self._check_open()
        entry = self._predictions.entries.get(prediction_id)
        if entry is None or entry.stage is Stage.ACCEPTING:
            return await self._results.get(prediction_id)
        if wait_s is not None and wait_s <= 0:
            return self._predictions.state(entry)
        return await self._predictions.wait(entry, wait_s)

    async def read(self, prediction_id: str) -> None:
        self._check_open()
        self._journal.note_read(prediction_id)

    async def cancel(self, prediction_id: str) -> Cancellation:
        while True:
            self._check_open()
            entry = self._predictions.entries.get(prediction_id)
            if entry is not None and entry.queued:
                await self._ending.cancel(entry)
                return Cancellation.ENDED
            if entry is not None and entry.stage is Stage.RUNNING:
                await self._receiving.ask_to_stop(entry)
                return Cancellation.ASKED
            if entry is not None and entry.stage is Stage.ENDING:
                # Once that is stored it is known how; what cannot be stored may be queued again.
                self._journal.recovery.check()
                await all_written(self._journal)
                continue
            ended = await self._results.get(prediction_id)
            if ended is None:
                return Cancellation.UNKNOWN
            if ended.status.terminal:  # else it was accepted just now
                return Cancellation.ENDED if ended.status is Status.CANCELLED else Cancellation.TOO_LATE

    async def events(self, prediction_id: str, after: int = 0, wait_s: float = 0) -> list[Event] | None:
        self._check_open()
        after = max(0, min(after, _HIGHEST))
        if (found := await self._events.of_running(prediction_id, after, wait_s)) is not None:
            return found
        return (
            None
            if await self._results.get(prediction_id) is None
            else await self._events.of_ended(prediction_id, after)
        )

    async def page(self, model: str, *, status: Status | None = None, limit: int = 100, after: str = "") -> Page:
        self._check_open()
        return await self._results.page(model, status, limit, after)

    async def receive(
        self, model: str, limit: int, wait_s: float, lanes: Sequence[Lane] = PRIORITIES
    ) -> list[Delivery]:
        self._check_open()
        return await self._receiving.receive(model, limit, wait_s, lanes) if limit > 0 else []

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        self._check_open()
        await self._receiving.begin(deliveries)

    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        self._check_open()
        for delivery in deliveries:
            self._receiving.leases.extend(delivery.receipt)

    async def stops(self, wait_s: float) -> list[Stop]:
        self._check_open()
        stops = await self._receiving.stops.take(wait_s)
        self._check_open()
        return stops

    async def publish(self, delivery: Delivery, events: Sequence[Event]) -> bool:
        self._check_open()
        entry = self._receiving.leases.entry(delivery.receipt)
        if entry is not None:
            await self._events.publish(entry, delivery.attempt, events)
        return entry is not None

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
                if entry.stop_asked:
                    self._receiving.stops.forget(delivery)
                ended.append((entry, settlement.outcome))
        await self._ending.settle(ended)
        return counts

    async def release(self, delivery: Delivery, *, counted: bool, delay_s: float = 0) -> bool:
        self._check_open()
        entry = self._receiving.leases.end(delivery.receipt)
        if entry is None:
            return False
        self._receiving.stops.forget(delivery)
        if counted:
            entry.count(delivery.attempt)
        else:
            entry.attempt, entry.unbegun = delivery.attempt - 1, delivery.unbegun - (delay_s > 0)
        await self._receiving.release(entry, delay_s)
        return True

    async def announce(self, presence: WorkerState) -> None:
        self._check_open()
        is_new = self._workers.announce(presence)
        if presence.card is not None and not presence.gone:
            self._cards.keep(presence.model, presence.card, is_new=is_new)

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        self._check_open()
        return {each: self._depth(each) for each in (self._models() if model is None else [model])}

    def warnings(self) -> tuple[EngineWarning, ...]:
        """None: what keeps the disk from being used is the problem of a queue, and memory was chosen by its name."""
        return ()

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        self._check_open()
        found = await asyncio.gather(*(self.get(each) for each in self._dead_letters.of(model)[: max(0, limit)]))
        return [prediction for prediction in found if prediction is not None and prediction.status.terminal]

    async def replay(self, prediction_id: str) -> bool:
        self._check_open()
        return await self._dead_letters.replay(prediction_id)

    async def purge(self, prediction_id: str) -> bool:
        self._check_open()
        return await self._dead_letters.purge(prediction_id)

    async def forget(self, model: str) -> bool:
        self._check_open()
        await end_queued(self, model)
        workers, unfinished = len(self._workers.of(model)), self._predictions.unfinished(model)
        in_use = model_in_use(model, workers=workers, unfinished=unfinished)
        if in_use is not None:
            raise in_use
        if self._predictions.queue(model).paused:
            await self.pause(model, paused=False)
        return await self._cards.forget(model)

    async def pause(self, model: str, *, paused: bool) -> None:
        self._check_open()
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._journal.write(Pause(model, paused, partial(self._pause_stored, model, paused, stored)))
        await stored

    def _pause_stored(
        self, model: str, paused: bool, stored: asyncio.Future[None], error: EngineUnavailable | None
    ) -> None:
        if error is None:
            self._predictions.queue(model).pause(paused=paused)
        resolve(stored, error)

    def _restore(self, waiting: WaitingRow) -> None:
        """Queue what an earlier process left; what it was asked to stop ends now."""
        entry = self._predictions.restore(waiting)
        if waiting.stop_asked:
            self._ending.end_queued(entry, CANCELLED)
        else:
            self._deadlines.add(entry)

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
            paused=queue.paused,
            data_bytes=self._journal.used_bytes,
            data_limit_bytes=self._journal.limit_bytes,
        )

    def _models(self) -> list[str]:
        known = self._cards.models() | self._workers.models()
        return sorted(known | self._predictions.models() | self._dead_letters.models())

    async def _submit(self, submissions: Sequence[Submission], durable: bool) -> list[Prediction | Standing]:
        """Of each what was accepted, or what stands for it; memory has some of them."""
        ids = [each.message.prediction_id for each in submissions]
        new = {each: asked for each, asked in zip(ids, submissions, strict=True) if each not in self._predictions}
        stored = await self._acceptance.store(list(new.values())) if new else ()
        accepted = dict(zip(new, stored, strict=True))
        for each in ids:
            if each not in accepted:
                accepted[each] = await self._known(each, durable)
        return [accepted[each] for each in ids]

    def _fit_memory(self, submissions: Sequence[Submission]) -> bool:
        """Whether memory has none of these ids, each is there once, and nothing of them is to last."""
        entries, recent = self._predictions.entries, self._predictions.recent
        for submission in submissions:
            message = submission.message
            if submission.idempotency_key is not None or message.options.notify:
                return False
            if message.prediction_id in entries or message.prediction_id in recent:
                return False
        return len(submissions) == 1 or self._are_new(submissions)

    def _are_new(self, submissions: Sequence[Submission]) -> bool:
        """Whether memory has none of these ids, and each is there once."""
        for submission in submissions:
            if submission.message.prediction_id in self._predictions:
                return False
        return len(submissions) == 1 or len({each.message.prediction_id for each in submissions}) == len(submissions)

    async def _known(self, prediction_id: str, durable: bool) -> Prediction | Standing:
        """What stands for an id that memory has; one whose record is being written once it is."""
        entry = self._predictions.entries.get(prediction_id)
        if entry is None:
            return Standing(prediction_id)
        if entry.writing is not None and (durable or entry.stage is Stage.ACCEPTING):
            return (await entry.writing.written())[prediction_id]
        return self._predictions.state(entry)

    async def _with_standing(self, accepted: Sequence[Prediction | Standing]) -> list[Prediction] | None:
        """What was accepted, or stands for it; None when the retention of one ended just now: it can be accepted."""
        found: list[Prediction] = []
        for each in accepted:
            prediction = each if isinstance(each, Prediction) else await self.get(each.prediction_id)
            if prediction is None:
                return None
            found.append(prediction)
        return found

    def _check_open(self) -> None:
        if not self._opened:
            raise stopping()
