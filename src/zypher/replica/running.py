"""What the model has begun, in its replica."""

from typing import Self

from zypher.context import Context
from zypher.errors import PredictionStopped
from zypher.prediction import StopReason
from zypher.replica.interruption import Interruption
from zypher.worker.protocol import Run


class Interruptible(Context, eq=False, kw_only=True):
    """It can be stopped, by another thread than the one that runs it."""

    interruption: Interruption | None = None  # set once a thread runs it

    def stop(self, reason: StopReason) -> None:
        """Let the model see that it is to end, and interrupt the thread that runs it."""
        self.stopped = reason
        if self.interruption is not None:
            self.interruption.interrupt()

    def let_stop(self) -> None:
        """From now on, and until `end`, `stop` interrupts this thread. Raises `PredictionStopped` after a stop."""
        self.interruption = Interruption()
        if self.stopped is not None:  # after the line above, so that one of the two threads sees the other
            raise PredictionStopped

    def end(self) -> None:
        """Nothing interrupts this thread any more. May be called again."""
        if self.interruption is not None:
            self.interruption.end()


class Running(Interruptible, eq=False, kw_only=True):
    """An attempt."""

    run: Run

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(run.prediction_id, run.attempt, run=run)
