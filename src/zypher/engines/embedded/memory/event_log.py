"""The events of one prediction, in memory."""

from collections import deque
from collections.abc import Iterable, Sequence

from zypher.engines.contract import EVENT_BYTES, MOST_EVENT_BYTES
from zypher.prediction import Event


def size_bytes(event: Event) -> int:
    return EVENT_BYTES + len(event.content)


class EventLog:
    """Bounded in bytes: the oldest go first, and the newest one always fits."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events = deque(events)
        self._last = self._events[-1].number if self._events else 0
        self.size_bytes = sum(map(size_bytes, self._events))

    def add(self, attempt: int, events: Sequence[Event]) -> None:
        """Append events of this attempt, under the next numbers."""
        for event in events:
            self._last += 1
            self._events.append(Event(event.kind, event.content, attempt, self._last))
            self.size_bytes += size_bytes(event)
        while self.size_bytes > MOST_EVENT_BYTES and len(self._events) > 1:
            self.size_bytes -= size_bytes(self._events.popleft())

    def after(self, number: int) -> list[Event]:
        """Those with a higher number, in order."""
        return [event for event in self._events if event.number > number]
