"""The events of one prediction, or of one attempt of it, in memory."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from zypher.engines.contract import EVENT_BYTES, MOST_EVENT_BYTES
from zypher.prediction import Event


def size_bytes(event: Event) -> int:
    """What it counts for in `MOST_EVENT_BYTES`."""
    return EVENT_BYTES + len(event.content)


class EventLog:
    """Has `MOST_EVENT_BYTES` at most: the oldest go first, and the newest one always fits."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._events = deque(events)
        self._last = self._events[-1].number if self._events else 0
        self.size_bytes = sum(map(size_bytes, self._events))

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def append(self, event: Event) -> None:
        """Add an event as it is."""
        self._events.append(event)
        self.size_bytes += size_bytes(event)
        while self.size_bytes > MOST_EVENT_BYTES and len(self._events) > 1:
            self.size_bytes -= size_bytes(self._events.popleft())

    def add(self, attempt: int, events: Sequence[Event]) -> None:
        """Append events of this attempt, under the next numbers."""
        for event in events:
            self._last += 1
            self.append(Event(event.kind, event.content, attempt, self._last))

    def after(self, number: int) -> list[Event]:
        """Those with a higher number, in order."""
        return [event for event in self._events if event.number > number]
