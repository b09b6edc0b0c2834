"""What workers announced."""

from zypher.clock import Clock
from zypher.queue_state import WorkerState


class Workers:
    """The last announcement of each worker, which holds for one lease."""

    def __init__(self, clock: Clock, lease_s: float) -> None:
        self._clock = clock
        self._lease_s = lease_s
        self._last: dict[str, tuple[float, WorkerState]] = {}  # the reading at which it ends to hold, and the state

    def announce(self, worker: WorkerState) -> bool:
        """Whether it announces a card that it did not announce before."""
        before = next((each for each in self._alive() if each.worker_id == worker.worker_id), None)
        if worker.gone:
            self._last.pop(worker.worker_id, None)
            return False
        self._last[worker.worker_id] = (self._clock.monotonic() + self._lease_s, worker)
        return worker.card is not None and (before is None or before.card != worker.card)

    def of(self, model: str) -> tuple[WorkerState, ...]:
        """The workers of a model whose announcements hold."""
        return tuple(worker for worker in self._alive() if worker.model == model)

    def models(self) -> set[str]:
        """The models of all workers; one that still loads has none."""
        return {worker.model for worker in self._alive() if worker.model}

    def _alive(self) -> list[WorkerState]:
        now_s = self._clock.monotonic()
        self._last = {worker_id: last for worker_id, last in self._last.items() if last[0] > now_s}
        return [worker for _, worker in self._last.values()]
