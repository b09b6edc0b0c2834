"""An attempt, as its worker sees it: waiting for a slot, sent to a replica, ended."""

import asyncio
from collections.abc import Sequence

import msgspec

from zypher.engines.contract import Stop
from zypher.prediction import Delivery, StopReason
from zypher.worker.protocol import Failed, Stopped, Succeeded


class Lost(msgspec.Struct, frozen=True):
    """The ending of an attempt whose replica died."""

    cause: str  # such as "was killed by signal SIGSEGV (11)"
    begun: bool  # whether the model had it


class Unfit(msgspec.Struct, frozen=True):
    """The ending of an attempt that was not made: the input is of another revision, and does not fit this one."""

    problem: str  # a sentence that begins with the path, as `$.input`
    waited_s: float  # since the prediction was submitted
    fits_elsewhere: bool  # whether a living worker's revision takes it


Ending = Succeeded | Failed | Stopped | Lost | Unfit


class Attempt(msgspec.Struct, eq=False):
    """One delivery in this worker."""

    delivery: Delivery
    number: int = 0  # in its replica, from 1 once it has one
    ending: Ending | None = None  # set once it has ended
    stop: StopReason | None = None  # why it is to end before its time, the last reason of several
    careful: bool = False  # whether the engine is to record that it begins before it does
    noted: bool = False  # whether the engine has recorded that it began


class Attempts:
    """The attempts of a worker, from their receipt until the engine has taken how they ended."""

    def __init__(self) -> None:
        self._attempts: set[Attempt] = set()
        self._empty = asyncio.Event()
        self._added = asyncio.Event()

    def __len__(self) -> int:
        return len(self._attempts)

    def add(self, attempt: Attempt) -> None:
        self._attempts.add(attempt)
        self._added.set()

    def discard(self, attempt: Attempt) -> None:
        self._attempts.discard(attempt)
        if not self._attempts:
            self._empty.set()

    def of(self, stops: Sequence[Stop]) -> list[tuple[Attempt, StopReason]]:
        """Those of these deliveries, each with why it is to end.

        Looks at each attempt: stops are rare, and an index for them would cost every prediction.
        """
        reasons = {(stop.delivery.message.prediction_id, stop.delivery.receipt): stop.reason for stop in stops}
        names = [(each, (each.delivery.message.prediction_id, each.delivery.receipt)) for each in self._attempts]
        return [(attempt, reasons[name]) for attempt, name in names if name in reasons]

    def deliveries(self) -> list[Delivery]:
        """All deliveries whose leases are to be kept."""
        return [attempt.delivery for attempt in self._attempts]

    async def unnoted(self) -> None:
        """Return once there is one of which the engine has no record that it began."""
        while all(attempt.noted for attempt in self._attempts):
            self._added.clear()
            await self._added.wait()

    async def present(self) -> None:
        """Return once there is one."""
        while not self._attempts:
            self._added.clear()
            await self._added.wait()

    async def emptied(self) -> None:
        """Return once there is none."""
        while self._attempts:
            self._empty.clear()
            await self._empty.wait()


class Endings:
    """Attempts that have ended, until their worker takes them."""

    def __init__(self) -> None:
        self._ended: list[Attempt] = []
        self._arrived = asyncio.Event()

    def add(self, attempt: Attempt, ending: Ending) -> None:
        attempt.ending = ending
        self._ended.append(attempt)
        self._arrived.set()

    def note_room(self) -> None:
        """An attempt that was abandoned has ended in its replica: its slot is free."""
        self._arrived.set()

    async def take(self) -> list[Attempt]:
        """All that have ended since, in the order in which they did; none when there is only more room."""
        await self._arrived.wait()
        self._arrived.clear()
        ended, self._ended = self._ended, []
        return ended
