"""The attempts that this replica was sent and that have not ended."""

from zypher.context import current
from zypher.replica.running import Running
from zypher.telemetry.formats import current_prediction_id
from zypher.worker.begun import BegunCells
from zypher.worker.protocol import Run, Stop, Stopped


class Attempts:
    """Safe to use from many threads: each step is one that the GIL does not divide."""

    def __init__(self, cells: BegunCells) -> None:
        self._cells = cells
        self._waiting: dict[int, Run] = {}  # by number
        self._running: dict[int, Running] = {}  # by slot

    def __len__(self) -> int:
        """How many there are, never too few."""
        return len(self._waiting) + len(self._running)

    @property
    def running(self) -> bool:
        """Whether one has begun and not ended."""
        return bool(self._running)

    def waiting(self) -> list[int]:
        """The numbers of those that have not begun."""
        return list(self._waiting)

    def add(self, run: Run) -> None:
        """It waits for its slot."""
        self._waiting[run.number] = run

    def begin(self, number: int, slot: int) -> Running | None:
        """Let it begin in this slot, as the current one of this thread or task; None when it was stopped before."""
        run = self._waiting.get(number)
        if run is None:
            return None
        context = self._running[slot] = Running.of(run)
        if self._waiting.pop(number, None) is None:
            del self._running[slot]
            return None
        self._cells.begin(slot, number)
        current.set(context)
        current_prediction_id.set(run.prediction_id)
        return context

    def interrupted(self, slot: int) -> Running | None:
        """The attempt of this slot that began, if one did, after something else ended it than its model."""
        context = self._running.get(slot)
        if context is not None:
            self._waiting.pop(context.run.number, None)
        return context

    def stop(self, stop: Stop) -> Stopped | None:
        """Drop it, which is its ending; or, when it has begun, let its context say that it is to end."""
        if self._waiting.pop(stop.number, None) is not None:
            return Stopped(stop.number, begun=False, run_s=0.0)
        for context in list(self._running.values()):
            if context.run.number == stop.number:
                context.stop(stop.reason)
        return None

    def end(self, slot: int) -> None:
        """The attempt of this slot, which ran in this thread or task, has ended."""
        current_prediction_id.set(None)
        del self._running[slot]
