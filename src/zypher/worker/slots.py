"""Hands out the slots of the replicas that are ready, in the order of asking."""

import asyncio
from collections import deque
from contextlib import suppress

from zypher.worker.replica import Replica

_Turn = asyncio.Future[Replica | None]


class Slots:
    """Which replica takes the next attempt.

    An attempt that must run alone gets a replica in quarantine: one that takes nothing new, and is
    given once it is empty. There is one quarantine at a time, and between two of them whoever waits for an
    ordinary slot is served: those who must run alone hold up the others for one run, not for all of theirs.
    """

    def __init__(self) -> None:
        self._taken: dict[Replica, int] = {}  # of the replicas that are ready
        self._ordinary: deque[_Turn] = deque()
        self._solitary: deque[_Turn] = deque()
        self._quarantine: Replica | None = None
        self._occupied = False  # whether the quarantine has its solitary attempt

    @property
    def replicas(self) -> int:
        """How many replicas can take work."""
        return sum(replica.slots > 0 for replica in self._taken)

    @property
    def total(self) -> int:
        """Attempts that can run at once."""
        return sum(replica.slots for replica in self._taken)

    def add(self, replica: Replica) -> None:
        """The replica is ready."""
        self._taken[replica] = 0
        self._serve()

    def remove(self, replica: Replica) -> None:
        """The replica is gone. After the last one, whoever waits is told that there is none."""
        self._taken.pop(replica, None)
        if self._quarantine is replica:
            self._end_quarantine()
        if self.total:
            self._serve()
            return
        for turn in (*self._ordinary, *self._solitary):
            if not turn.done():
                turn.set_result(None)
        self._ordinary.clear()
        self._solitary.clear()

    async def take(self, *, alone: bool) -> Replica | None:
        """A replica with a free slot, waiting for one; with `alone`, an empty one. None: no replica is left."""
        solitary = alone and any(replica.slots > 1 for replica in self._taken)
        replica = None if solitary or self._ordinary else self._with_room()
        if replica is not None:
            self._taken[replica] += 1
            return replica
        return await self._wait(self._solitary if solitary else self._ordinary) if self.total else None

    def free(self, replica: Replica) -> None:
        """Give a slot back."""
        if replica in self._taken:
            self._taken[replica] -= 1
        if self._quarantine is replica and self._occupied:
            self._end_quarantine()
        if self._ordinary or self._solitary:
            self._serve()

    async def _wait(self, turns: deque[_Turn]) -> Replica | None:
        turn: _Turn = asyncio.get_running_loop().create_future()
        turns.append(turn)
        self._serve()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):  # it has come up and been passed over
                    turns.remove(turn)
                self._serve()
            elif (replica := turn.result()) is not None:  # granted in the turn that gave it up
                self.free(replica)
            raise

    def _serve(self) -> None:
        """Grant what can be granted: ordinary turns first, then the next solitary one."""
        if not self._solitary and not self._occupied:
            self._quarantine = None
        while self._ordinary and (replica := self._with_room()) is not None:
            self._grant(self._ordinary, replica)
        if not self._solitary:
            return
        if self._quarantine is None:
            self._quarantine = self._least_busy()
        if self._quarantine is not None and not self._occupied and not self._taken[self._quarantine]:
            self._occupied = self._grant(self._solitary, self._quarantine)

    def _grant(self, turns: deque[_Turn], replica: Replica) -> bool:
        turn = turns.popleft()
        if turn.done():
            return False
        self._taken[replica] += 1
        turn.set_result(replica)
        return True

    def _with_room(self) -> Replica | None:
        best: Replica | None = None
        for replica, taken in self._taken.items():
            room = taken < replica.slots and replica is not self._quarantine
            if room and (best is None or taken < self._taken[best]):
                best = replica
        return best

    def _least_busy(self) -> Replica | None:
        alive = [replica for replica in self._taken if replica.slots]
        return min(alive, key=self._taken.__getitem__, default=None)

    def _end_quarantine(self) -> None:
        self._quarantine = None
        self._occupied = False
