"""Which delivery holds which entry, and until when."""

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence

from zypher.clock import Clock
from zypher.engines.embedded.memory.alarm import Alarm
from zypher.engines.embedded.memory.entry import Entry, Lease


class Leases:
    """Every lease lasts equally long, so the order in which they began or were extended is that in which they end.

    A worker that extends each third of a lease loses none while this process is stopped, however long: a check is
    due each third of a lease, and one that is as much too late means that no worker could extend.
    """

    def __init__(self, clock: Clock, lease_s: float, lost: Callable[[Entry], None]) -> None:
        self._clock = clock
        self._lease_s = lease_s
        self._third_s = lease_s / 3
        self._lost = lost
        self._entries: OrderedDict[str, Entry] = OrderedDict()  # by receipt, the one that ends first in front
        self._alarm = Alarm(clock, self._check)
        self._process = os.urandom(6).hex()  # so that no receipt of an earlier process matches
        self._receipts = 0

    def begin(self, entries: Sequence[Entry]) -> None:
        """Lease each entry under a receipt that was never given before."""
        started_at = self._clock.now()
        now_s = self._clock.monotonic()
        for entry in entries:
            self._receipts += 1
            receipt = f"{self._process}.{self._receipts}"
            entry.lease = Lease(receipt, now_s + self._lease_s, started_at)
            self._entries[receipt] = entry
        self._alarm.set(now_s + self._third_s)

    def extend(self, receipt: str) -> bool:
        """Begin a lease anew; False when it is over."""
        entry = self._entries.get(receipt)
        if entry is None or entry.lease is None:
            return False
        entry.lease.ends_s = self._clock.monotonic() + self._lease_s
        self._entries.move_to_end(receipt)
        return True

    def entry(self, receipt: str) -> Entry | None:
        """What is leased under this receipt; None when the lease is over."""
        return self._entries.get(receipt)

    def end(self, receipt: str) -> Entry | None:
        """End a lease: what was leased, or None when it is over already. The entry keeps the lease's record."""
        return self._entries.pop(receipt, None)

    def stop(self) -> None:
        self._alarm.stop()

    def _check(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._alarm.at_s >= self._third_s:
            self._begin_anew(now_s)
        self._end_due(now_s)

    def _begin_anew(self, now_s: float) -> None:
        """Begin every lease anew: the process was stopped, and so was the worker that would have extended them."""
        for entry in self._entries.values():
            if entry.lease is not None:
                entry.lease.ends_s = now_s + self._lease_s

    def _end_due(self, now_s: float) -> None:
        while self._entries:
            receipt, entry = next(iter(self._entries.items()))
            if entry.lease is not None and entry.lease.ends_s > now_s:
                self._alarm.set(min(entry.lease.ends_s, now_s + self._third_s))
                return
            del self._entries[receipt]
            self._lost(entry)
