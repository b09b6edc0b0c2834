"""Which delivery is whose, and until when."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence

from zypher.clock import Clock
from zypher.engines.embedded.alarm import Alarm
from zypher.engines.embedded.entry import Entry, Lease

_LATE = 0.1  # the share of a lease by which an alarm is late only when the whole process stood still


class Leases:
    """Every lease lasts equally long, so the order in which they began or were extended is that in which they end.

    A lease does not end while the process stands still, stopped by a signal or paused with its machine: then none
    could be extended either, and what runs in replicas goes on.
    """

    def __init__(self, clock: Clock, lease_s: float, lost: Callable[[Entry], None]) -> None:
        self._clock = clock
        self._lease_s = lease_s
        self._lost = lost
        self._entries: OrderedDict[str, Entry] = OrderedDict()  # by receipt, the one that ends first in front
        self._alarm = Alarm(clock, self._end_due)
        self._process = os.urandom(6).hex()  # so that no receipt of an earlier process is taken for ours
        self._receipts = 0

    def begin(self, entries: Sequence[Entry]) -> None:
        """Lease each entry under a receipt that was never given before."""
        started_at = self._clock.now()
        ends = self._clock.monotonic() + self._lease_s
        for entry in entries:
            self._receipts += 1
            receipt = f"{self._process}.{self._receipts}"
            entry.lease = Lease(receipt, ends, started_at)
            self._entries[receipt] = entry
        self._alarm.set(ends)

    def extend(self, receipt: str) -> bool:
        """Begin a lease anew; False when it is over."""
        entry = self._entries.get(receipt)
        if entry is None or entry.lease is None:
            return False
        entry.lease.ends = self._clock.monotonic() + self._lease_s
        self._entries.move_to_end(receipt)
        return True

    def end(self, receipt: str) -> Entry | None:
        """End a lease: what was leased, or None when it is over already. The entry keeps what it says."""
        return self._entries.pop(receipt, None)

    def stop(self) -> None:
        self._alarm.stop()

    def _end_due(self) -> None:
        now = self._clock.monotonic()
        if self._stood_still(now):
            for entry in self._entries.values():
                if entry.lease is not None:
                    entry.lease.ends = now + self._lease_s
        while self._entries:
            receipt, entry = next(iter(self._entries.items()))
            if entry.lease is not None and entry.lease.ends > now:
                self._alarm.set(entry.lease.ends)
                return
            del self._entries[receipt]
            self._lost(entry)

    def _stood_still(self, now: float) -> bool:
        first = next(iter(self._entries.values()), None)
        return first is not None and first.lease is not None and now - first.lease.ends > _LATE * self._lease_s
