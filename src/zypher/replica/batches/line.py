"""The attempts that wait for a batch, in the order of their arrival, and the batches that run."""

from _thread import allocate_lock  # by name, as all that a model may replace in its module
from collections.abc import Callable, Sequence
from time import perf_counter

from zypher.context import current
from zypher.replica.batches.batch import Batch, Member, batch_of
from zypher.replica.batches.release import BatchLimits, release
from zypher.telemetry.formats import current_prediction_id
from zypher.worker.begun import BegunCells
from zypher.worker.protocol import BatchReason, Run, Stop, Stopped

_NO_ATTEMPT = 0  # in a cell


class Line:
    """Safe to use from many threads.

    One that waits, also once more after its batch raised, has not begun: its replica's death is not its fault.
    """

    def __init__(self, cells: BegunCells, limits: BatchLimits, now_s: Callable[[], float] = perf_counter) -> None:
        """Each slot has as many of the cells as a batch may have members; `now_s` reads a monotonic clock."""
        self._cells = cells
        self._limits = limits
        self._now_s = now_s
        self._lock = allocate_lock()
        self._waiting: dict[int, Member] = {}  # by number, the oldest first
        self._running: dict[int, Batch] = {}  # by slot

    @property
    def running(self) -> int:
        """Batches that run."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Attempts that wait."""
        return len(self._waiting)

    def add(self, run: Run) -> None:
        """It waits, behind all others."""
        with self._lock:
            self._waiting[run.number] = Member(run, self._now_s())

    def form(self, slot: int) -> Batch | float | None:
        """A batch that begins in this slot, as the current one of this thread or task.

        Else the seconds until there is one, None while nothing waits.
        """
        with self._lock:
            now_s = self._now_s()
            members, reason = self._next(now_s)
            if not isinstance(reason, BatchReason):
                return reason
            for cell, member in enumerate(members):
                del self._waiting[member.run.number]
                self._cells.begin(slot * self._limits.size + cell, member.run.number)
            batch = self._running[slot] = batch_of(members, reason, now_s)
        current.set(batch)
        current_prediction_id.set(batch.prediction_id)
        return batch

    def stop(self, stop: Stop) -> Stopped | Batch | None:
        """Drop one that waits, which is its ending; or the batch that is to end, since nothing of it is wanted."""
        with self._lock:
            if self._waiting.pop(stop.number, None) is not None:
                return Stopped(stop.number, begun=False, run_s=0.0)
            for batch in self._running.values():
                if any(member.run.number == stop.number for member in batch.members):
                    return batch if batch.stop_member(stop.number, stop.reason) else None
        return None

    def running_in(self, slot: int) -> Batch | None:
        """The batch of this slot."""
        return self._running.get(slot)

    def end(self, slot: int, again: Sequence[Member]) -> None:
        """The batch of this slot, which ran in this thread or task, has ended.

        These of its members run `again`: they wait in front of all others, each for a batch of its own.
        """
        current_prediction_id.set(None)
        with self._lock:
            batch = self._running.pop(slot)
            if again:
                for cell, member in enumerate(batch.members):
                    if member in again:
                        self._cells.begin(slot * self._limits.size + cell, _NO_ATTEMPT)
                        member.alone = True
                self._waiting = {member.run.number: member for member in again} | self._waiting

    def _next(self, now_s: float) -> tuple[list[Member], BatchReason | float | None]:
        oldest = next(iter(self._waiting.values()), None)
        if oldest is None:
            return [], None
        if oldest.alone:
            return [oldest], BatchReason.ALONE
        members = [member for member in self._waiting.values() if not member.alone][: self._limits.size]
        return members, release(len(members), now_s - oldest.arrived_at_s, self._limits)
