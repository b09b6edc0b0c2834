"""What workers last said of themselves."""

from zypher.clock import Clock
from zypher.errors import SchemaConflict
from zypher.queue_state import WorkerState


class Presences:
    """The last word of each worker, for as long as a lease lasts."""

    def __init__(self, clock: Clock, lease_s: float) -> None:
        self._clock = clock
        self._lease_s = lease_s
        self._last: dict[str, tuple[float, WorkerState]] = {}  # when it ends to hold, and what was said

    def announce(self, presence: WorkerState) -> None:
        """Raises `SchemaConflict`."""
        if presence.gone:
            self._last.pop(presence.worker_id, None)
            return
        for other in self.alive():
            if other.worker_id != presence.worker_id and other.disagrees(presence):
                raise SchemaConflict(
                    f"The worker {other.worker_id} serves {presence.model} with other input or output types; "
                    "stop all workers of the old version first, or give the new one's model another name."
                )
        self._last[presence.worker_id] = (self._clock.monotonic() + self._lease_s, presence)

    def alive(self) -> list[WorkerState]:
        now_s = self._clock.monotonic()
        self._last = {worker_id: said for worker_id, said in self._last.items() if said[0] > now_s}
        return [presence for _, presence in self._last.values()]
