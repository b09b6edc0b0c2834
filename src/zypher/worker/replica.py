"""What a worker needs of a replica."""

from collections.abc import Callable
from typing import Protocol

from zypher.model_card import ModelCard
from zypher.prediction import StopReason
from zypher.worker.attempt import Attempt, Ending


class Replica(Protocol):
    """A process, or what passes for one, that holds one loaded copy of a model.

    Life: `start`, `loaded`, `run` as often as there are free slots, `close` or its own death, `ended`.
    """

    number: int  # from 1

    @property
    def slots(self) -> int:
        """Attempts that it can run at once: 0 before it is loaded and after its death, less with abandoned ones."""
        ...

    @property
    def ahead(self) -> int:
        """Attempts that it may be given beyond those, which wait in it: they are the next batch."""
        ...

    @property
    def abandoned(self) -> int:
        """Attempts that it still runs though they have ended, see `abandon`."""
        ...

    @property
    def attempts(self) -> list[Attempt]:
        """Those that it was given and that have not ended."""
        ...

    @property
    def pid(self) -> int | None:
        """Of its process, None before the start."""
        ...

    @property
    def has_run(self) -> bool:
        """Whether it was ever given an attempt."""
        ...

    async def start(self) -> None:
        """Start the process. Raises `OSError`."""
        ...

    async def loaded(self) -> ModelCard:
        """The model's card once it is set up. Raises `TargetError`, also when the process dies before."""
        ...

    def run(self, attempt: Attempt) -> None:
        """Make the attempt. Its ending is added to the endings that the replica was made with, also at its death.

        Before that, what it reports is added to the events that the replica was made with.
        """
        ...

    def stop(self, attempt: Attempt, reason: StopReason) -> None:
        """Ask for the end of an attempt before its time; it ends like any other. Nothing, when it is not here."""
        ...

    def begun(self) -> list[Attempt]:
        """Those of its attempts that the model has begun and that have not ended."""
        ...

    def beside(self, attempt: Attempt) -> list[Attempt]:
        """The others of its batch, as far as they have not ended: it cannot be stopped without them."""
        ...

    def abandon(self, attempt: Attempt, ending: Ending) -> None:
        """End an attempt for its worker, though the model may still run it; what the model returns does not count."""
        ...

    async def emptied(self) -> None:
        """Return once it has no attempt that has not ended or been abandoned."""
        ...

    def ping(self) -> None:
        """Ask for a sign of life, see `trouble`."""
        ...

    def is_silent(self, silence_s: float) -> bool:
        """Whether a ping has had no answer for so long."""
        ...

    def trouble(self, silence_s: float) -> str | None:
        """Why it can run nothing now, as "has not answered for 31 s"; None while it answers within `silence_s`."""
        ...

    def close(self) -> None:
        """Ask it to end; what runs in it is lost."""
        ...

    def kill(self) -> None:
        """End it at once, and what the model started in it."""
        ...

    async def ended(self) -> str:
        """Return once the process is gone: what became of it, such as "exited with code 3"."""
        ...


MakeReplica = Callable[[int], Replica]  # of a replica's number, from 1
