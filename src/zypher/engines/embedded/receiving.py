"""How predictions leave the queue for a worker, and return to it."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from functools import partial
from weakref import ref

from zypher.clock import Clock
from zypher.engines.embedded.deadlines import Deadlines
from zypher.engines.embedded.ending import CANCELLED, Ending
from zypher.engines.embedded.journal import DATA_LOST, Journal, LoadInputs, Mark, resolve
from zypher.engines.embedded.memory.alarm import Alarm
from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.leases import Leases
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.embedded.memory.queue import HOT_INPUT_BYTES, Queue, Receiver
from zypher.engines.stops import Stops
from zypher.errors import EngineUnavailable
from zypher.prediction import Delivery, Lane, Message, StopReason

_READ_AHEAD = 256  # messages read at once when the next one is in the journal only


class Receiving:
    """Delivers in order of acceptance; inputs that are in the journal only are read ahead, in bulk."""

    def __init__(
        self,
        clock: Clock,
        predictions: Predictions,
        journal: Journal,
        ending: Ending,
        deadlines: Deadlines,
        lease_s: float,
    ) -> None:
        self.leases = Leases(clock, lease_s, self._lose)
        self.stops = Stops(clock)
        self._clock = clock
        self._predictions = predictions
        self._journal = journal
        self._ending = ending
        self._deadlines = deadlines
        self._delayed: list[tuple[float, int, str, Entry]] = []  # a heap by the reading at which each is due
        self._delays = Alarm(clock, self._put_back_due)

    async def receive(self, model: str, limit: int, wait_s: float, lanes: Sequence[Lane]) -> list[Delivery]:
        queue = self._predictions.queue(model, lanes[0])
        ends_s = self._clock.monotonic() + wait_s
        while True:
            self._deadlines.expire_due()
            entries = queue.take(lanes, limit)
            if entries:
                return self._deliver(queue, lanes, entries)
            first = queue.first(lanes)
            if first is not None:
                # It waits for the journal, not for a submit: that is no part of `wait_s`.
                self._read_ahead(queue, first)
                await self._wait_for_ready(queue, lanes, None)
            elif not await self._wait_for_ready(queue, lanes, ends_s - self._clock.monotonic()):
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
                self._mark(entry, partial(resolve, mark))
        await asyncio.gather(*stored)

    async def ask_to_stop(self, entry: Entry) -> None:
        """Ask the worker of a leased entry to stop it; returns once the journal has that of a durable prediction."""
        if entry.row:
            self._journal.recovery.check()
        if not entry.stop_asked:
            entry.stop_asked = True
            self._stop(entry, StopReason.CANCELLED)
        if entry.row:
            stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._mark(entry, partial(resolve, stored))
            await stored

    async def release(self, entry: Entry, delay_s: float) -> None:
        """Let an entry whose lease was just ended wait again in its old place, or end as it was asked to."""
        if entry.stop_asked:
            await self._ending.settle([(entry, CANCELLED)])
        else:
            self._queue_again(entry, delay_s)

    def _lose(self, entry: Entry) -> None:
        """The lease of an entry has run out."""
        self._stop(entry, StopReason.LEASE_LOST)
        if entry.stop_asked:
            self._ending.end_leased(entry, CANCELLED)
        else:
            self._queue_again(entry)

    def _stop(self, entry: Entry, reason: StopReason) -> None:
        """Let the worker of a leased entry stop it, if it still has it."""
        delivery = entry.lease.delivery() if entry.lease and entry.lease.delivery else None
        if delivery is not None:
            self.stops.add(delivery, reason)

    def _mark(self, entry: Entry, done: Callable[[EngineUnavailable | None], None] | None = None) -> None:
        started_at = None if entry.lease is None else entry.lease.started_at
        self._journal.write(Mark(entry.row, entry.attempt, started_at, entry.stop_asked, done))

    def _queue_again(self, entry: Entry, delay_s: float = 0) -> None:
        queue = self._predictions.queue_of(entry)
        entry.lease = None
        queue.give_back(entry)
        if self._deadlines.expire_late(entry):
            return
        if entry.row:
            self._mark(entry)
        if delay_s > 0:
            due_s = self._clock.monotonic() + delay_s
            heapq.heappush(self._delayed, (due_s, entry.number, entry.prediction_id, entry))
            self._delays.set(due_s)
        else:
            queue.put_back(entry)

    def delayed(self, model: str) -> int:
        """How many of the model's queued predictions wait for an instant; notices are not among them."""
        delayed = [entry for *_, entry in self._delayed if entry.stage is Stage.DELAYED and entry.model == model]
        return sum(entry.lane is not Lane.WEBHOOKS for entry in delayed)

    def stop(self) -> None:
        self.leases.stop()
        self._delays.stop()
        self.stops.wake()

    def _deliver(self, queue: Queue, lanes: Sequence[Lane], entries: Sequence[Entry]) -> list[Delivery]:
        deliveries: list[Delivery] = []
        self.leases.begin(entries)
        for entry in entries:
            message, lease = entry.message, entry.lease
            assert message is not None
            assert lease is not None
            entry.unbegun += 1
            delivery = Delivery(message, entry.attempt + 1, lease.receipt, entry.unbegun)
            deliveries.append(delivery)
            lease.delivery = ref(delivery)
            if entry.row and entry.writing is None:  # else the journal may still refuse it
                entry.message = None
                entry.held_bytes = 0
        following = queue.first(lanes)
        if following is not None and following.message is None:
            self._read_ahead(queue, following)
        elif following is not None and queue.receivers:
            queue.wake(following.lane)
        return deliveries

    async def _wait_for_ready(self, queue: Queue, lanes: Sequence[Lane], wait_s: float | None) -> bool:
        """Whether an entry became ready within the time. Raises `EngineUnavailable`."""
        if wait_s is not None and wait_s <= 0:
            return False
        woken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        receiver = Receiver(lanes, woken)
        queue.receivers.append(receiver)
        timer = None
        if wait_s is not None:
            timer = self._clock.call_later(wait_s, lambda: woken.done() or woken.set_result(False))
        try:
            return await woken
        except asyncio.CancelledError:
            if woken.done() and not woken.cancelled():  # woken, but cancelled: wake another
                for lane in lanes:
                    queue.wake(lane)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if receiver in queue.receivers:  # not woken
                queue.receivers.remove(receiver)

    def _read_ahead(self, queue: Queue, first: Entry) -> None:
        """Read the message of this entry, and small ones of those behind it."""
        if queue.reading_ahead:
            return
        entries = {entry.row: entry for entry in queue.cold(first.lane, _READ_AHEAD)}
        entries[first.row] = first

        def done(inputs: dict[int, bytes] | EngineUnavailable) -> None:
            queue.reading_ahead = False
            if isinstance(inputs, EngineUnavailable):
                queue.fail_receivers(str(inputs))
            else:
                if first.queued and first.row not in inputs:
                    self._ending.end_queued(first, DATA_LOST)
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
                self._predictions.queue_of(entry).put_back(entry)


def _keep_inputs(queue: Queue, entries: dict[int, Entry], inputs: dict[int, bytes]) -> None:
    """Give the entries that still wait their messages, and wake the receivers, whose wait for them has no limit."""
    for row, input in inputs.items():
        entry = entries[row]
        if entry.queued and entry.message is None:
            queue.hold(entry, Message(entry.prediction_id, entry.model, input, entry.submitted_at, entry.options))
    queue.wake_all()
