"""Who waits for work of which model in this process, and whether there may be some."""

from collections import Counter
from contextlib import AbstractContextManager

from zypher.clock import Clock
from zypher.engines.redis_streams.bells import Bell, Bells


class Work:
    """Everything that becomes ready while nothing is rings: after a look that found the end, only a ring is news."""

    def __init__(self, clock: Clock) -> None:
        self._bells = Bells(clock)
        self._rings: Counter[str] = Counter()
        self._ended: dict[str, int] = {}  # how often it had rung before the look that found the end

    def hang(self, model: str) -> AbstractContextManager[Bell]:
        """A bell that rings for this model as long as this lasts."""
        return self._bells.hang(model)

    def ring(self, model: str) -> None:
        self._rings[model] += 1
        self._bells.ring(model)

    def ring_all(self) -> None:
        self._bells.ring_all()

    def rings(self, model: str) -> int:
        """How often it has rung so far, to be asked before a look."""
        return self._rings[model]

    def found_end(self, model: str, rings: int) -> None:
        """A look before which it had rung so often took everything that was ready."""
        self._ended[model] = rings

    def is_none(self, model: str) -> bool:
        """Whether nothing has become ready since a look that found the end."""
        return self._ended.get(model) == self._rings[model]
