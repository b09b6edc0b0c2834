"""The predictions that have not ended, those that just did, and who waits for their end."""

import asyncio
from datetime import datetime

from zypher.clock import Clock
from zypher.engines.embedded.asks import resolve
from zypher.engines.embedded.entry import Entry
from zypher.engines.embedded.queue import Queue
from zypher.engines.embedded.recent import Recent
from zypher.errors import EngineUnavailable, QueueFull
from zypher.prediction import Message, Outcome, Prediction

_MIB = 1024 * 1024
MOST_HELD_BYTES = 256 * _MIB  # of inputs that wait and are not on disk, those on their way there included


class Live:
    """What memory knows; nothing here touches the disk."""

    def __init__(self, clock: Clock, queue_limit: int) -> None:
        self.entries: dict[str, Entry] = {}  # by prediction id
        self.queues: dict[str, Queue] = {}  # by model
        self.recent = Recent()
        self._clock = clock
        self._queue_limit = queue_limit

    def queue(self, model: str) -> Queue:
        queue = self.queues.get(model)
        if queue is None:
            queue = self.queues[model] = Queue()
        return queue

    def knows(self, prediction_id: str) -> bool:
        return prediction_id in self.entries or prediction_id in self.recent

    def fullness(self, model: str, input_bytes: int) -> str | None:
        """Why there is no room for one more prediction; None when there is. An input that is alone always has it."""
        queued = self.queue(model).queued
        if queued >= self._queue_limit:
            return f"{queued} predictions wait for {model}, as many as may; send this one again later."
        held_bytes = sum(queue.held_bytes for queue in self.queues.values())
        if held_bytes and held_bytes + input_bytes > MOST_HELD_BYTES:
            return (
                f"The inputs that wait take up the {MOST_HELD_BYTES // _MIB} MiB of memory that they may; "
                "send this one again later."
            )
        return None

    def check_room(self, model: str, input_bytes: int) -> None:
        """Raise `QueueFull` when there is no room for one more prediction."""
        fullness = self.fullness(model, input_bytes)
        if fullness is not None:
            raise QueueFull(fullness)

    def enter(self, message: Message) -> Entry:
        """Count a new prediction as queued; it waits for its queue's `join`. Raises `QueueFull`."""
        self.check_room(message.model, len(message.input))
        entry = Entry(message.prediction_id, message.model, message.submitted_at)
        self.entries[entry.prediction_id] = entry
        self.queues[entry.model].enter(entry, message)
        return entry

    def accept(self, message: Message) -> Prediction:
        """Accept a prediction that lives in memory only. Raises `QueueFull`."""
        entry = self.enter(message)
        entry.message = message
        queue = self.queues[entry.model]
        queue.join(entry)
        return entry.seen(queue.queued)

    def restore(self, row: int, prediction_id: str, model: str, submitted_at: datetime, attempt: int) -> None:
        """Queue a prediction again that was accepted by an earlier process, however full the queue is."""
        entry = Entry(prediction_id, model, submitted_at, attempt)
        entry.row = row
        self.entries[prediction_id] = entry
        queue = self.queue(model)
        queue.queued += 1
        queue.join(entry)

    def models(self) -> set[str]:
        """The models that have predictions which have not ended."""
        return {model for model, queue in self.queues.items() if queue.queued or queue.running}

    def seen(self, entry: Entry) -> Prediction:
        """The prediction as it stands."""
        return entry.seen(self.queues[entry.model].position(entry))

    def finish(self, entry: Entry, outcome: Outcome, finished_at: datetime) -> Prediction:
        """End a prediction that left its queue: forget the entry, tell whoever waits."""
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
        # One whose waiter has just given up may be made durable in this very turn: it must still be known.
        if not _tell(entry, prediction) or entry.row:
            self.recent.keep(prediction)
        return prediction

    async def wait(self, entry: Entry, wait_s: float | None) -> Prediction:
        """The prediction once it ended, or as it stands after `wait_s` seconds."""
        waiter: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        waiters = entry.waiters = entry.waiters or []
        waiters.append(waiter)
        timer = None
        if wait_s is not None:
            timer = self._clock.call_later(wait_s, lambda: waiter.done() or waiter.set_result(self.seen(entry)))
        try:
            return await waiter
        except asyncio.CancelledError:
            # Told, but cancelled before it could hear: the result must still be known.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._keep_unheard(waiter.result())
            raise
        finally:
            if timer is not None:
                timer.cancel()
            waiters.remove(waiter)

    def fail_all(self, error: str) -> None:
        """Tell everybody who waits for an end or for something to receive that it will not come."""
        for entry in self.entries.values():
            for waiter in entry.waiters or ():
                resolve(waiter, EngineUnavailable(error))
        for queue in self.queues.values():
            queue.fail_receivers(error)

    def _keep_unheard(self, prediction: Prediction) -> None:
        if prediction.status.terminal:
            self.recent.keep(prediction)


def _tell(entry: Entry, prediction: Prediction) -> bool:
    """Tell who waits for the end; False if nobody was told or somebody had just given up."""
    all_heard = bool(entry.waiters)
    for waiter in entry.waiters or ():
        if waiter.done():
            all_heard = False
        else:
            waiter.set_result(prediction)
    return all_heard
