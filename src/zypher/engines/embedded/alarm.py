"""One timer for the earliest of many instants: nothing wakes an engine that waits for nothing."""

from collections.abc import Callable

from zypher.clock import Clock, Timer


class Alarm:
    """Rings once after the earliest instant it was set to; whoever hears it sets it anew."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: Timer | None = None
        self.at_s = 0.0  # the reading at which it is to ring, or was to ring last

    def set(self, at_s: float) -> None:
        """Ring at this reading of the monotonic clock, or earlier if it was set so."""
        if self._timer is not None:
            if self.at_s <= at_s:
                return
            self._timer.cancel()
        self.at_s = at_s
        self._timer = self._clock.call_later(at_s - self._clock.monotonic(), self._rang)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rang(self) -> None:
        self._timer = None
        self._ring()
