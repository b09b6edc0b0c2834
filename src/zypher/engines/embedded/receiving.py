"""How predictions leave the queue for a worker, and return to it."""

import asyncio
import heapq
from collections.abc import Sequence
from functools import partial

from zypher.clock import Clock
from zypher.engines.embedded.ending import Ending
from zypher.engines.embedded.journal import Journal, LoadInputs, Mark, resolve
from zypher.engines.embedded.memory.alarm import Alarm
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.leases import Leases
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.embedded.memory.queue import HOT_INPUT_BYTES, Queue
from zypher.errors import EngineUnavailable
from zypher.prediction import Delivery, Message

_READ_AHEAD = 256  # messages read at once when the next one is in the journal only


class Receiving:
    """Delivers in order of acceptance; inputs that are in the journal only are read ahead, in bulk."""

    def __init__(
        self, clock: Clock, predictions: Predictions, journal: Journal, ending: Ending, lease_s: float
    ) -> None:
        self.leases = Leases(clock, lease_s, self.queue_again)
        self._clock = clock
        self._predictions = predictions
        self._journal = journal
        self._ending = ending
        self._delayed: list[tuple[float, int, str, Entry]] = []  # a heap by the reading at which each is due
        self._delays = Alarm(clock, self._put_back_due)

    async def receive(self, model: str, limit: int, wait_s: float) -> list[Delivery]:
        queue = self._predictions.queue(model)
        ends_s = self._clock.monotonic() + wait_s
        while True:
            entries = queue.take(limit)
            if entries:
                return self._deliver(queue, entries)
            if queue.first() is not None:
                # It waits for the journal, not for a submit: that is no part of `wait_s`.
                self._read_ahead(queue)
                await self._wait_for_ready(queue, None)
            elif not await self._wait_for_ready(queue, ends_s - self._clock.monotonic()):
                return []

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        """Count these attempts; returns once the journal has those of durable predictions."""
        stored: list[asyncio.Future[None]] = []
        for delivery in deliveries:
            entry = self.leases.entry(delivery.receipt)
            if entry is None:
                continue
            entry.count(delivery.attempt)
            if entry.row and entry.lease is not None:
                mark: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                stored.append(mark)
                self._journal.write(Mark(entry.row, entry.attempt, entry.lease.started_at, partial(resolve, mark)))
        await asyncio.gather(*stored)

    def queue_again(self, entry: Entry, delay_s: float = 0) -> None:
        """Let an entry whose lease is over wait again in its old place."""
        queue = self._predictions.queue(entry.model)
        entry.lease = None
        queue.give_back(entry)
        if entry.row:
            self._journal.write(Mark(entry.row, entry.attempt, None))
        if delay_s > 0:
            due_s = self._clock.monotonic() + delay_s
            heapq.heappush(self._delayed, (due_s, entry.number, entry.prediction_id, entry))
            self._delays.set(due_s)
        else:
            queue.put_back(entry)

    def delayed(self, model: str) -> int:
        """How many of the model's queued predictions wait for an instant."""
        return sum(entry.stage is Stage.DELAYED and entry.model == model for *_, entry in self._delayed)

    def stop(self) -> None:
        self.leases.stop()
        self._delays.stop()

    def _deliver(self, queue: Queue, entries: Sequence[Entry]) -> list[Delivery]:
        deliveries: list[Delivery] = []
        self.leases.begin(entries)
        for entry in entries:
            message, lease = entry.message, entry.lease
            assert message is not None
            assert lease is not None
            entry.unbegun += 1
            deliveries.append(Delivery(message, entry.attempt + 1, lease.receipt, entry.unbegun))
            if entry.row and entry.submitters is None:  # else the journal may still refuse it
                entry.message = None
                entry.held_bytes = 0
        following = queue.first()
        if following is not None and following.message is None:
            self._read_ahead(queue)
        elif following is not None and queue.receivers:
            queue.wake()
        return deliveries

    async def _wait_for_ready(self, queue: Queue, wait_s: float | None) -> bool:
        """Whether an entry became ready within the time. Raises `EngineUnavailable`."""
        if wait_s is not None and wait_s <= 0:
            return False
        receiver: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        queue.receivers.append(receiver)
        timer = None
        if wait_s is not None:
            timer = self._clock.call_later(wait_s, lambda: receiver.done() or receiver.set_result(False))
        try:
            return await receiver
        except asyncio.CancelledError:
            if receiver.done() and not receiver.cancelled():  # woken, but cancelled: wake another
                queue.wake()
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if receiver in queue.receivers:  # not woken
                queue.receivers.remove(receiver)

    def _read_ahead(self, queue: Queue) -> None:
        if queue.reading_ahead:
            return
        first = queue.first()
        assert first is not None
        entries = {entry.row: entry for entry in queue.cold(_READ_AHEAD)}
        entries[first.row] = first

        def done(inputs: dict[int, bytes] | EngineUnavailable) -> None:
            queue.reading_ahead = False
            if isinstance(inputs, EngineUnavailable):
                queue.fail_receivers(str(inputs))
            else:
                if first.queued and first.row not in inputs:
                    self._ending.lose(first)
                _keep_inputs(queue, entries, inputs)

        queue.reading_ahead = True
        self._journal.read(LoadInputs(first.row, list(entries), HOT_INPUT_BYTES, done))

    def _put_back_due(self) -> None:
        now_s = self._clock.monotonic()
        while self._delayed:
            due_s, _, _, entry = self._delayed[0]
            if due_s > now_s:
                self._delays.set(due_s)
                return
            heapq.heappop(self._delayed)
            if entry.stage is Stage.DELAYED:
                self._predictions.queue(entry.model).put_back(entry)


def _keep_inputs(queue: Queue, entries: dict[int, Entry], inputs: dict[int, bytes]) -> None:
    """Give the entries that still wait their messages, and wake the receivers, whose wait for them has no limit."""
    for row, input in inputs.items():
        entry = entries[row]
        if entry.queued and entry.message is None:
            queue.hold(entry, Message(entry.prediction_id, entry.model, input, entry.submitted_at, entry.revision))
    queue.wake_all()
