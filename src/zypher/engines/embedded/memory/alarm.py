"""One timer for the earliest of many instants: an engine that waits for nothing has no timer."""

from collections.abc import Callable

from zypher.clock import Clock, Timer


class Alarm:
    """Calls `due` once after the earliest instant it was set to; it can be set anew from there.

    After `stop` it calls no more, also if it is set.
    """

    def __init__(self, clock: Clock, due: Callable[[], None]) -> None:
        self._clock = clock
        self._due = due
        self._timer: Timer | None = None
        self._stopped = False
        self.at_s = 0.0  # the reading that it is set to, or was set to last

    def set(self, at_s: float) -> None:
        """Call at this reading of the monotonic clock, or earlier if it was set so."""
        if self._stopped:
            return
        if self._timer is not None:
            if self.at_s <= at_s:
                return
            self._timer.cancel()
        self.at_s = at_s
        self._timer = self._clock.call_later(at_s - self._clock.monotonic(), self._expire)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self._due()
