"""How much of a kind a replica may add to the log."""

from zypher.clock import Clock

_LINES = 20_000
_BYTES = 8_388_608
_FULL_AGAIN_S = 2.0  # from none left to all
_RESUMES = 0.5  # of it, so that what is left out is left out for a second


class LogBudget:
    """So many lines and bytes at once, which are given back little by little.

    At once is what a model prints in one go, of which nothing may be lost; what is given back in a second is what a
    worker can write of several replicas without a delay for anybody.
    """

    def __init__(self, clock: Clock) -> None:
        self.spent = False  # from when nothing is left until half of it is there again
        self._clock = clock
        self._used = 0.0  # of 1
        self._at_s = clock.monotonic()

    def use(self, lines: int, size_bytes: int) -> None:
        """These were added."""
        self._recover()
        self._used += max(lines / _LINES, size_bytes / _BYTES)
        self.spent = self.spent or self._used >= 1

    def resumes(self) -> bool:
        """Whether more may be added."""
        self._recover()
        self.spent = self.spent and self._used > _RESUMES
        return not self.spent

    def _recover(self) -> None:
        now_s = self._clock.monotonic()
        self._used = max(0.0, self._used - (now_s - self._at_s) / _FULL_AGAIN_S)
        self._at_s = now_s
