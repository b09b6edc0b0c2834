"""The predictions that have not ended, those that just did, and the waiters for their end."""

import asyncio
from collections.abc import Sequence

from zypher.clock import Clock
from zypher.engines.contract import Submission
from zypher.engines.embedded.engine_clock import EngineClock, Moment
from zypher.engines.embedded.journal import WaitingRow, resolve
from zypher.engines.embedded.memory.entry import Entry
from zypher.engines.embedded.memory.queue import Queue
from zypher.engines.embedded.memory.recent import Recent
from zypher.engines.refusals import queue_full
from zypher.engines.waiters import Waiters
from zypher.errors import QueueFull
from zypher.prediction import Lane, Message, Outcome, Prediction

_MIB = 1024 * 1024
MOST_HELD_BYTES = 256 * _MIB  # of inputs that wait and are not in the journal, those on their way there included

_MAYBE_RECEIVED = 2  # times: the next attempt is written down before it begins


class Predictions:
    """The entries by id and the queues by model."""

    def __init__(self, clock: Clock, engine_clock: EngineClock, queue_limit: int) -> None:
        self.entries: dict[str, Entry] = {}  # by prediction id
        self.queues: dict[str, Queue] = {}  # of the lanes `PRIORITIES`, by model
        self.notices: dict[str, Queue] = {}  # of the lane `webhooks`, by model
        self.recent = Recent()
        self.watchers = Waiters[None](clock)  # for events, by prediction id
        self._clock = clock
        self._engine_clock = engine_clock
        self._queue_limit = queue_limit

    def __contains__(self, prediction_id: str) -> bool:
        return prediction_id in self.entries or prediction_id in self.recent

    def queue(self, model: str, lane: Lane = Lane.NORMAL) -> Queue:
        """The queue that has this lane of a model."""
        queues = self.notices if lane is Lane.WEBHOOKS else self.queues
        queue = queues.get(model)
        if queue is None:
            queue = queues[model] = Queue()
        return queue

    def queue_of(self, entry: Entry) -> Queue:
        return (self.notices if entry.options.lane is Lane.WEBHOOKS else self.queues)[entry.model]

    def fullness(self, model: str, number: int, submissions: Sequence[Submission] = ()) -> QueueFull | None:
        """The error when there is no room for so many more predictions of a model, else None.

        Inputs that are alone always have room.
        """
        queued = self.queue(model).queued
        if queued + number > self._queue_limit:
            return queue_full(model, queued, number)
        held_bytes = 0
        for queue in self.queues.values():
            held_bytes += queue.held_bytes
        if held_bytes:
            for submission in submissions:
                held_bytes += len(submission.message.input)
        if held_bytes > MOST_HELD_BYTES:
            return QueueFull(
                f"The inputs that wait take up the {MOST_HELD_BYTES // _MIB} MiB of memory that they may; "
                "send this one again later."
            )
        return None

    def enter(self, message: Message) -> Entry:
        """Count a new prediction as queued; it waits for its queue's `join`."""
        entry = Entry(message.prediction_id, message.model, message.submitted_at, options=message.options)
        self.entries[entry.prediction_id] = entry
        self.queue(message.model, message.options.lane).enter(entry, message)
        return entry

    def accept(self, message: Message) -> Prediction:
        """Queue a prediction that lives in memory only, however full the queue is."""
        entry = Entry(message.prediction_id, message.model, message.submitted_at, options=message.options)
        self.entries[entry.prediction_id] = entry
        return entry.state(self.queue(message.model, message.options.lane).accept(entry, message))

    def restore(self, waiting: WaitingRow) -> Entry:
        """Queue a prediction of the journal behind all others, however full the queue is."""
        queue = self.queue(waiting.model, waiting.options.lane)
        entry = Entry(waiting.prediction_id, waiting.model, waiting.submitted_at, waiting.attempt, waiting.options)
        entry.row = waiting.row
        entry.stop_asked = waiting.stop_asked
        # A process that ended may have received it, and had no time to write down that an attempt began.
        entry.unbegun = _MAYBE_RECEIVED
        self.entries[entry.prediction_id] = entry
        queue.restore(entry)
        return entry

    def models(self) -> set[str]:
        """The models that have predictions or notices which have not ended."""
        queues = (*self.queues.items(), *self.notices.items())
        return {model for model, queue in queues if queue.queued or queue.running}

    def unfinished(self, model: str) -> int:
        """How many predictions and notices of a model have not ended."""
        return sum(queue.queued + queue.running for queue in (self.queue(model), self.queue(model, Lane.WEBHOOKS)))

    def state(self, entry: Entry) -> Prediction:
        """The prediction at this moment."""
        return entry.state(self.queue_of(entry).position(entry))

    def finish(self, entry: Entry, outcome: Outcome, ended: Moment) -> Prediction:
        """End a prediction that left its queue: forget the entry, wake its waiters."""
        lease = entry.lease
        prediction = Prediction(
            prediction_id=entry.prediction_id,
            model=entry.model,
            status=outcome.status,
            submitted_at=entry.submitted_at,
            attempt=entry.attempt,
            started_at=None if lease is None else lease.started_at,
            finished_at=ended.date,
            outcome=outcome,
            durable=entry.row != 0,
            options=entry.options,
        )
        del self.entries[entry.prediction_id]
        if lease is not None:
            queue = self.queue_of(entry)
            queue.running -= 1
            queue.observe(outcome.run_s)
        # One whose wait has just ended may be promoted in this very turn of the event loop: it must be found.
        if not _wake_waiters(entry, prediction) or entry.row or entry.watched:
            self.recent.keep(prediction, ended, entry.events)
            self.watchers.wake(entry.prediction_id)
        return prediction

    async def wait(self, entry: Entry, wait_s: float | None) -> Prediction:
        """The prediction once it ended, or its state after `wait_s` seconds."""
        waiter: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        waiters = entry.waiters = entry.waiters or []
        waiters.append(waiter)
        timer = None
        if wait_s is not None:
            timer = self._clock.call_later(wait_s, lambda: waiter.done() or waiter.set_result(self.state(entry)))
        try:
            return await waiter
        except asyncio.CancelledError:
            # Woken, but cancelled before it could return the result: that must still be found.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._keep_unreturned(waiter.result())
            raise
        finally:
            if timer is not None:
                timer.cancel()
            waiters.remove(waiter)

    def end_waits(self, error: str) -> None:
        """Return from every wait for an end; raise `EngineUnavailable` from every one for something to receive."""
        for entry in self.entries.values():
            for waiter in entry.waiters or ():
                resolve(waiter, self.state(entry))
        for queue in (*self.queues.values(), *self.notices.values()):
            queue.fail_receivers(error)

    def _keep_unreturned(self, prediction: Prediction) -> None:
        if prediction.status.terminal:
            self.recent.keep(prediction, self._engine_clock.moment())  # it ended in this turn of the event loop


def _wake_waiters(entry: Entry, prediction: Prediction) -> bool:
    """Give the end to its waiters; False if there is none, or the wait of one had just ended."""
    all_woken = bool(entry.waiters)
    for waiter in entry.waiters or ():
        if waiter.done():
            all_woken = False
        else:
            waiter.set_result(prediction)
    return all_woken
