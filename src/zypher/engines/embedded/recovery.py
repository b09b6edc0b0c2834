"""While a journal cannot store: refuse, hold what must be written, try again."""

from collections.abc import Callable

from zypher.clock import Clock, Timer
from zypher.errors import EngineUnavailable

_FIRST_RETRY_S = 0.5
_RETRY_S = 1.0


class Recovery:
    """Has a problem from the first write that fails until the first that succeeds.

    Held outcomes are written again, the first time after half a second, then every second; without any, a probe
    is written, so that the end of the problem is detected without traffic.
    """

    def __init__(self, clock: Clock, probe: Callable[[], None]) -> None:
        self.problem: str | None = None  # a sentence
        self._clock = clock
        self._probe = probe
        self._held: list[Callable[[], None]] = []
        self._timer: Timer | None = None
        self._stopped = False

    def check(self) -> None:
        """Refuse new predictions while there is a problem. Raises `EngineUnavailable`."""
        if self.problem is not None:
            raise EngineUnavailable(self.problem)

    def update(self, problem: str | None) -> None:
        """Set what made the last write fail, a sentence; None after one that succeeded."""
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
            self._probe()

    def _write_held(self) -> bool:
        held, self._held = self._held, []
        for write_again in held:
            write_again()
        return bool(held)
