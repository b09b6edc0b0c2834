"""The engine clock, which retention counts by: it goes on evenly, whatever the date is set to."""

from datetime import datetime
from typing import NamedTuple

from zypher.clock import Clock
from zypher.engines.stored import to_microseconds

_SECOND_US = 1_000_000
_LONGEST_STOP_US = 3600 * _SECOND_US
_STOPS = 24  # of the longest kind, in one retention


class Moment(NamedTuple):
    """One moment on two clocks."""

    date: datetime  # of the wall clock, for people; it may be set
    reading_us: int  # of the engine clock, microseconds


def longest_stop_us(retention_us: int) -> int:
    """What one stop counts at most: an hour, or a part of a retention that is short."""
    return min(_LONGEST_STOP_US, retention_us // _STOPS)


def reading_after_stop(stored: Moment, date: datetime, longest_us: int) -> int:
    """The reading at a start: the last one that was stored, and the stop by the date, from 0 to `longest_us`."""
    stopped_us = to_microseconds(date) - to_microseconds(stored.date)
    return stored.reading_us + min(max(stopped_us, 0), longest_us)


class EngineClock:
    """Goes with the monotonic clock while the process runs, so it stands still while the machine is suspended.

    From the last stored moment to the next start it goes with the date, never back and never by more than
    `longest_stop_us`: a wrong date at a start makes nothing old. The first reading of all is the date.
    """

    def __init__(self, clock: Clock, retention_s: float) -> None:
        self._clock = clock
        self._retention_us = round(retention_s * _SECOND_US)
        self._ahead_us = 0  # of the monotonic clock

    def start(self, stored: Moment | None) -> None:
        """Go on from what an earlier process stored; None: nothing."""
        date = self._clock.now()
        before = Moment(date, to_microseconds(date)) if stored is None else stored
        reading_us = reading_after_stop(before, date, longest_stop_us(self._retention_us))
        self._ahead_us = reading_us - self._monotonic_us()

    def moment(self) -> Moment:
        """This moment."""
        return Moment(self._clock.now(), self._reading_us())

    def kept_since_us(self) -> int:
        """What ended at this reading or before is past its retention."""
        return self._reading_us() - self._retention_us

    def _reading_us(self) -> int:
        return self._ahead_us + self._monotonic_us()

    def _monotonic_us(self) -> int:
        return round(self._clock.monotonic() * _SECOND_US)
