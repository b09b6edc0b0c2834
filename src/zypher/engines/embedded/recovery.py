"""What to do while the disk does not store: refuse, hold what must be written, try again."""

from collections.abc import Callable

from zypher.clock import Clock, Timer
from zypher.engines.embedded.asks import Probe
from zypher.errors import EngineUnavailable

_FIRST_RETRY_S = 0.5
_RETRY_S = 1.0


class Recovery:
    """In trouble from the first batch that fails until the first that writes something.

    Outcomes that could not be stored are given to the writer again, the first time after half a second,
    then every second; if there is none, a small write takes their place, so that the end of the trouble is
    noticed without any traffic.
    """

    def __init__(self, clock: Clock, probe: Callable[[Probe], None]) -> None:
        self.problem: str | None = None  # a sentence
        self._clock = clock
        self._probe = probe
        self._held: list[Callable[[], None]] = []
        self._timer: Timer | None = None
        self._stopped = False

    def check(self) -> None:
        """Refuse new work while the disk does not store. Raises `EngineUnavailable`."""
        if self.problem is not None:
            raise EngineUnavailable(self.problem)

    def noticed(self, problem: str | None) -> None:
        """Hear how a batch went: what hindered it, or None when something was written."""
        if problem is not None and self._timer is None and not self._stopped:
            self._timer = self._clock.call_later(_FIRST_RETRY_S if self.problem is None else _RETRY_S, self._retry)
        self.problem = problem

    def hold(self, write_again: Callable[[], None]) -> bool:
        """Keep a write for the next try; False when there will be none."""
        if not self._stopped:
            self._held.append(write_again)
        return not self._stopped

    def stop(self) -> None:
        """Write what is held once more, and hold nothing from now on."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._write_held()

    def _retry(self) -> None:
        self._timer = None
        if not self._write_held():
            self._probe(Probe())

    def _write_held(self) -> bool:
        held, self._held = self._held, []
        for write_again in held:
            write_again()
        return bool(held)
