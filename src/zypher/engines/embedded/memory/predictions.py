"""The predictions that have not ended, those that just did, and the waiters for their end."""

import asyncio
from datetime import datetime

from zypher.clock import Clock
from zypher.engines.embedded.journal import WaitingRow, resolve
from zypher.engines.embedded.memory.entry import Entry
from zypher.engines.embedded.memory.queue import Queue
from zypher.engines.embedded.memory.recent import Recent
from zypher.engines.refusals import queue_full
from zypher.errors import EngineUnavailable, QueueFull
from zypher.prediction import Message, Outcome, Prediction

_MIB = 1024 * 1024
MOST_HELD_BYTES = 256 * _MIB  # of inputs that wait and are not in the journal, those on their way there included


_MAYBE_RECEIVED = 2  # times: the next attempt is written down before it begins


class Predictions:
    """The entries by id and the queues by model."""

    def __init__(self, clock: Clock, queue_limit: int) -> None:
        self.entries: dict[str, Entry] = {}  # by prediction id
        self.queues: dict[str, Queue] = {}  # by model
        self.recent = Recent()
        self._clock = clock
        self._queue_limit = queue_limit

    def __contains__(self, prediction_id: str) -> bool:
        return prediction_id in self.entries or prediction_id in self.recent

    def queue(self, model: str) -> Queue:
        queue = self.queues.get(model)
        if queue is None:
            queue = self.queues[model] = Queue()
        return queue

    def fullness(self, model: str, input_bytes: int) -> QueueFull | None:
        """The error when there is no room for one more prediction, else None. An input that is alone always has it."""
        queued = self.queue(model).queued
        if queued >= self._queue_limit:
            return queue_full(model, queued)
        held_bytes = sum([queue.held_bytes for queue in self.queues.values()])
        if held_bytes and held_bytes + input_bytes > MOST_HELD_BYTES:
            return QueueFull(
                f"The inputs that wait take up the {MOST_HELD_BYTES // _MIB} MiB of memory that they may; "
                "send this one again later."
            )
        return None

    def enter(self, message: Message) -> Entry:
        """Count a new prediction as queued; it waits for its queue's `join`. Raises `QueueFull`."""
        fullness = self.fullness(message.model, len(message.input))
        if fullness is not None:
            raise fullness
        entry = Entry(message.prediction_id, message.model, message.submitted_at, revision=message.revision)
        self.entries[entry.prediction_id] = entry
        self.queues[entry.model].enter(entry, message)
        return entry

    def accept(self, message: Message) -> Prediction:
        """Accept a prediction that lives in memory only. Raises `QueueFull`."""
        entry = self.enter(message)
        entry.message = message
        queue = self.queues[entry.model]
        queue.join(entry)
        return entry.state(queue.queued)

    def restore(self, waiting: WaitingRow) -> None:
        """Queue a prediction of the journal behind all others, however full the queue is."""
        entry = Entry(waiting.prediction_id, waiting.model, waiting.submitted_at, waiting.attempt, waiting.revision)
        entry.row = waiting.row
        # A process that ended may have received it, and had no time to write down that an attempt began.
        entry.unbegun = _MAYBE_RECEIVED
        self.entries[entry.prediction_id] = entry
        queue = self.queue(entry.model)
        queue.queued += 1
        queue.join(entry)

    def models(self) -> set[str]:
        """The models that have predictions which have not ended."""
        return {model for model, queue in self.queues.items() if queue.queued or queue.running}

    def state(self, entry: Entry) -> Prediction:
        """The prediction at this moment."""
        return entry.state(self.queues[entry.model].position(entry))

    def finish(self, entry: Entry, outcome: Outcome, finished_at: datetime) -> Prediction:
        """End a prediction that left its queue: forget the entry, wake its waiters."""
        lease = entry.lease
        prediction = Prediction(
            prediction_id=entry.prediction_id,
            model=entry.model,
            status=outcome.status,
            submitted_at=entry.submitted_at,
            attempt=entry.attempt,
            started_at=None if lease is None else lease.started_at,
            finished_at=finished_at,
            outcome=outcome,
            durable=entry.row != 0,
        )
        del self.entries[entry.prediction_id]
        if lease is not None:
            queue = self.queues[entry.model]
            queue.running -= 1
            queue.observe(outcome.run_s)
        # One whose wait has just ended may be promoted in this very turn of the event loop: it must be found.
        if not _wake_waiters(entry, prediction) or entry.row:
            self.recent.keep(prediction)
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

    def fail_all(self, error: str) -> None:
        """Raise `EngineUnavailable` from every wait, for an end or for something to receive."""
        for entry in self.entries.values():
            for waiter in entry.waiters or ():
                resolve(waiter, EngineUnavailable(error))
        for queue in self.queues.values():
            queue.fail_receivers(error)

    def _keep_unreturned(self, prediction: Prediction) -> None:
        if prediction.status.terminal:
            self.recent.keep(prediction)


def _wake_waiters(entry: Entry, prediction: Prediction) -> bool:
    """Give the end to its waiters; False if there is none, or the wait of one had just ended."""
    all_woken = bool(entry.waiters)
    for waiter in entry.waiters or ():
        if waiter.done():
            all_woken = False
        else:
            waiter.set_result(prediction)
    return all_woken
