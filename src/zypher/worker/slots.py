"""Hands out the slots of the replicas that are ready, in the order of asking."""

import asyncio
from collections import deque

from zypher.worker.replica import Replica


class Slots:
    """Which replica takes the next attempt."""

    def __init__(self) -> None:
        self._replicas: list[Replica] = []
        self._taken: dict[Replica, int] = {}
        self._reserved: set[Replica] = set()  # one attempt has the whole replica
        self._turns: deque[tuple[bool, asyncio.Future[Replica]]] = deque()

    @property
    def replicas(self) -> int:
        """How many replicas can take work."""
        return sum(replica.slots > 0 for replica in self._replicas)

    @property
    def total(self) -> int:
        """Attempts that can run at once."""
        return sum(replica.slots for replica in self._replicas)

    def add(self, replica: Replica) -> None:
        """The replica is ready."""
        self._replicas.append(replica)
        self._taken[replica] = 0
        self._serve()

    def remove(self, replica: Replica) -> None:
        """The replica is gone; whoever holds a slot of it still frees it."""
        if replica in self._replicas:
            self._replicas.remove(replica)

    async def take(self, *, alone: bool) -> Replica:
        """A replica with a free slot, waiting for one. With `alone`, every slot of it."""
        replica = None if self._turns else self._find(alone=alone)
        if replica is None:
            turn: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
            self._turns.append((alone, turn))
            return await turn
        self._reserve(replica, alone=alone)
        return replica

    def free(self, replica: Replica) -> None:
        """Give a slot back."""
        self._taken[replica] -= 1
        self._reserved.discard(replica)
        if replica not in self._replicas and not self._taken[replica]:
            del self._taken[replica]
        if self._turns:
            self._serve()

    def _find(self, *, alone: bool) -> Replica | None:
        """The least busy replica that has room."""
        best: Replica | None = None
        for replica in self._replicas:
            taken = self._taken[replica]
            room = replica.slots > 0 and (taken == 0 if alone else taken < replica.slots)
            if room and replica not in self._reserved and (best is None or taken < self._taken[best]):
                best = replica
        return best

    def _reserve(self, replica: Replica, *, alone: bool) -> None:
        self._taken[replica] += 1
        if alone:
            self._reserved.add(replica)

    def _serve(self) -> None:
        """Give slots to those who wait. The first one waits for an idle replica, and the others behind it."""
        while self._turns:
            alone, turn = self._turns[0]
            if not turn.done():
                replica = self._find(alone=alone)
                if replica is None:
                    return
                self._reserve(replica, alone=alone)
                turn.set_result(replica)
            self._turns.popleft()
