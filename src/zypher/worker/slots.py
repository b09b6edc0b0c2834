"""Gives attempts the slots of the replicas that are ready, in the order of their arrival."""

import asyncio
from collections import deque
from contextlib import suppress

from zypher.worker.attempt import Attempt, Endings, Lost, Unfit
from zypher.worker.decide import is_exclusive
from zypher.worker.protocol import Stopped
from zypher.worker.replica import Replica

_NO_REPLICA = Lost("had ended", begun=False)
_NO_TRACE = Lost("ended, or was silent for longer than a lease", begun=True)


class Slots:
    """Which replica makes the next attempt.

    An exclusive attempt gets a replica for itself: a reserved one, which takes nothing new and runs it once it is
    empty. There is one reserved replica at a time, and between two reservations the ordinary attempts that wait are
    served: exclusive attempts hold up the others for one run, not for all of theirs.
    """

    def __init__(self, endings: Endings, max_attempts: int) -> None:
        self.room = asyncio.Event()  # set when there may be a free slot
        self.max_attempts = max_attempts  # of a prediction that takes its replicas with it
        self._endings = endings
        self._replicas: dict[Replica, int] = {}  # those that are ready, and how many of their slots are taken
        self._at: dict[Attempt, Replica] = {}  # where each runs
        self._waiting: deque[Attempt] = deque()
        self._exclusive: deque[Attempt] = deque()
        self._reserved: Replica | None = None  # is emptied for the next exclusive attempt
        self._alone: set[Replica] = set()  # those that run an exclusive attempt
        self._unrecorded: dict[Attempt, None] = {}  # have a slot, and run once the engine has recorded that they begin
        self._given = asyncio.Event()  # set when there may be one

    @property
    def replicas(self) -> int:
        """How many replicas can take work."""
        return sum(replica.slots > 0 for replica in self._replicas)

    @property
    def total(self) -> int:
        """Attempts that can run at once."""
        return sum(replica.slots for replica in self._replicas)

    @property
    def free(self) -> int:
        """How many more attempts would have a place; below 0 when some of those that are here wait for one."""
        taken = sum(self._replicas.values()) + len(self._waiting) + len(self._exclusive)
        return sum(map(_room, self._replicas)) - taken

    def add(self, replica: Replica) -> None:
        """The replica is ready, again perhaps; what runs in it goes on."""
        self._replicas[replica] = sum(at is replica for at in self._at.values())
        self._serve()
        self.room.set()

    def set_aside(self, replica: Replica) -> None:
        """The replica takes no more work for the time being. Without another, the attempts that wait are lost."""
        self._replicas.pop(replica, None)
        if self.total:
            self._serve()
            return
        for attempt in (*self._waiting, *self._exclusive):
            self._endings.add(attempt, _NO_REPLICA)
        self._waiting.clear()
        self._exclusive.clear()

    def remove(self, replica: Replica) -> None:
        """The replica is dead; as `set_aside`."""
        self._alone.discard(replica)
        self.set_aside(replica)

    def run(self, attempt: Attempt) -> None:
        """Give the attempt a slot, now or when there is one; the last one has its replica for itself.

        One after the last is lost: all before it began, and no worker lived to say how they ended.
        """
        number = attempt.delivery.attempt
        if number > self.max_attempts or not self._replicas:
            self._endings.add(attempt, _NO_TRACE if number > self.max_attempts else _NO_REPLICA)
            return
        exclusive = is_exclusive(number, self.max_attempts)
        alone = exclusive and any(_room(replica) + replica.abandoned != 1 for replica in self._replicas)
        replica = None if alone or self._waiting else self._with_room()
        if replica is not None:
            self._give(replica, attempt)
            return
        (self._exclusive if alone else self._waiting).append(attempt)
        self._serve()

    def refuse(self, attempt: Attempt, ending: Stopped | Unfit) -> None:
        """Give the attempt no slot: it ends so."""
        self._endings.add(attempt, ending)

    async def unrecorded(self) -> list[Attempt]:
        """Those that have a slot and are to be recorded before they run, as soon as there is one."""
        while not self._unrecorded:
            self._given.clear()
            await self._given.wait()
        return list(self._unrecorded)

    def let_run(self, attempt: Attempt, *, recorded: bool) -> None:
        """Run one of `unrecorded`, or give it up where it could not be recorded or its replica is gone."""
        if attempt not in self._unrecorded:
            return  # it was dropped meanwhile
        del self._unrecorded[attempt]
        replica = self._at[attempt]
        if recorded and replica.slots and replica in self._replicas:
            replica.run(attempt)
        else:
            self._endings.add(attempt, _NO_REPLICA)

    def drop(self, attempt: Attempt) -> Replica | None:
        """Let an attempt that is not in a replica yet wait no more: nothing becomes of it. Else the replica."""
        if attempt in self._unrecorded:
            del self._unrecorded[attempt]
            self.give_back(attempt)
            return None
        for waiting in (self._waiting, self._exclusive):
            with suppress(ValueError):
                waiting.remove(attempt)
                self._serve()
                self.room.set()
                return None
        return self._at.get(attempt)

    def give_back(self, attempt: Attempt) -> None:
        """The attempt has ended, in whatever way."""
        self.room.set()
        replica = self._at.pop(attempt, None)
        if replica is None:
            return
        if replica in self._replicas:
            self._replicas[replica] -= 1
        self._alone.discard(replica)
        if self._waiting or self._exclusive:
            self._serve()

    def look_again(self) -> None:
        """A replica has a slot again that an abandoned attempt held."""
        self.room.set()
        self._serve()

    def _serve(self) -> None:
        """Give what can be given: ordinary slots first, then the next reserved replica."""
        if not self._exclusive or self._reserved not in self._replicas or not self._reserved.slots:
            self._reserved = None
        while self._waiting and (replica := self._with_room()) is not None:
            self._give(replica, self._waiting.popleft())
        if not self._exclusive or any(replica in self._replicas for replica in self._alone):
            return
        reserved = self._reserved = self._reserved or self._least_busy()
        if reserved is not None and not self._replicas[reserved] and not reserved.abandoned:
            self._reserved = None
            self._alone.add(reserved)
            self._give(reserved, self._exclusive.popleft())

    def _give(self, replica: Replica, attempt: Attempt) -> None:
        self._replicas[replica] += 1
        self._at[attempt] = replica
        if attempt.careful:
            self._unrecorded[attempt] = None
            self._given.set()
        else:
            replica.run(attempt)

    def _with_room(self) -> Replica | None:
        best: Replica | None = None
        for replica, taken in self._replicas.items():
            room = taken < _room(replica) and replica is not self._reserved and replica not in self._alone
            if room and (best is None or taken < self._replicas[best]):
                best = replica
        return best

    def _least_busy(self) -> Replica | None:
        able = [each for each in self._replicas if each.slots and not each.abandoned and each not in self._alone]
        return min(able, key=self._replicas.__getitem__, default=None)


def _room(replica: Replica) -> int:
    """How many attempts it may have."""
    return replica.slots + replica.ahead if replica.slots else 0
