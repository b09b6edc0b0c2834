"""Keeps a number of replicas alive."""

import asyncio
import logging

from zypher.clock import Clock
from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.worker.decide import restart_delay_s
from zypher.worker.replica import MakeReplica, Replica
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)


class Replicas:
    """The worker's replicas, started again when they die."""

    def __init__(self, make: MakeReplica, count: int, slots: Slots, clock: Clock) -> None:
        self.count = count
        self.slots = slots
        self.card: ModelCard | None = None
        self.problem: str | None = None  # why a replica cannot start
        self.loaded: set[Replica] = set()  # those that have their model and live
        self.stuck: dict[Replica, str] = {}  # those that were set aside, and why
        self.changed = asyncio.Event()  # set whenever any of this has changed
        self._make = make
        self._clock = clock
        self._alive: set[Replica] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = self._hurried = False
        self._starting = set(range(1, count + 1))  # the numbers of those whose first start has not ended yet
        self._first_load: asyncio.Future[ModelCard] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Begin to start the replicas."""
        self._keepers = [
            asyncio.create_task(self._keep(number), name=f"replica {number}") for number in range(1, self.count + 1)
        ]

    async def first_card(self) -> ModelCard:
        """The model's card, as soon as one replica has loaded it.

        Raises `TargetError` once each of them has tried and cannot; called again, it waits for the next one that loads
        or cannot.
        """
        self._forget_failed_load()
        return await asyncio.shield(self._first_load)

    def assume(self, card: ModelCard) -> None:
        """Take this card, which a worker announced before, for the model's until a replica has loaded it."""
        if self.card is None:
            self.card = card

    def set_aside(self, replica: Replica, why: str) -> None:
        """Give a replica nothing more for the time being; `why` is a sentence."""
        if self.stuck.get(replica) != why:
            self.stuck[replica] = why
            self.slots.set_aside(replica)
            self.changed.set()

    def take_back(self, replica: Replica) -> None:
        """Let a replica that was set aside work again."""
        del self.stuck[replica]
        self.slots.add(replica)
        self.changed.set()

    async def ended(self) -> BaseException | None:
        """Wait until they are kept no more: the error of ours that is the cause, None for `stop`."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        return next((keeper.exception() for keeper in done if not keeper.cancelled()), None)

    async def stop(self) -> None:
        """End every replica; what still runs in them is lost, and idle ones have a moment to close their models."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for replica in self._alive:
            replica.close()
        self._stopping = True
        if self._hurried:
            self.hurry()
        await asyncio.gather(*(replica.ended() for replica in self._alive))

    def hurry(self) -> None:
        """Give them no time to end in order, also in a `stop` that has begun."""
        self._hurried = True
        if self._stopping:
            for replica in self._alive:
                replica.kill()

    async def _keep(self, number: int) -> None:
        """Start a replica again each time it ends, later and later while it cannot work.

        One that died with an attempt in it is started again at once: whatever kills replicas is
        tried `max_attempts` times, and the predictions behind it need not wait for that.
        """
        failures = 0
        while True:
            if failures:
                await self._clock.sleep(restart_delay_s(failures))
            replica = self._make(number)
            await self._live(replica)
            failures = 0 if replica.has_run else failures + 1

    async def _live(self, replica: Replica) -> None:
        """One replica from its start to its death."""
        try:
            await replica.start()
        except OSError as error:
            problem = f"The system cannot start a process for a replica: {error.strerror}."
            self._refused(replica, TargetError(problem))
            return
        self._alive.add(replica)
        ended = asyncio.ensure_future(replica.ended())
        try:
            await self._load(replica)
            cause = await ended
        finally:
            self._forget(replica)
        self._alive.discard(replica)
        logger.warning("a replica died", extra={"replica": replica.number, "cause": cause})

    async def _load(self, replica: Replica) -> None:
        try:
            self.card = await replica.loaded()
        except TargetError as error:
            self._refused(replica, error)
            return
        self._starting.discard(replica.number)
        self.problem = None
        about = {"replica": replica.number, "pid": replica.pid, "slots": replica.slots}
        logger.info("replica ready", extra=about)
        self.loaded.add(replica)
        self.slots.add(replica)
        self._forget_failed_load()
        if not self._first_load.done():
            self._first_load.set_result(self.card)
        self.changed.set()

    def _forget_failed_load(self) -> None:
        if self._first_load.done() and self._first_load.exception() is not None:
            self._first_load = asyncio.get_running_loop().create_future()

    def _forget(self, replica: Replica) -> None:
        self.loaded.discard(replica)
        self.stuck.pop(replica, None)
        self.slots.remove(replica)
        self.changed.set()

    def _refused(self, replica: Replica, error: TargetError) -> None:
        self._starting.discard(replica.number)
        self.problem = str(error)
        if self._starting or self._first_load.done():
            about = {"replica": replica.number, "problem": self.problem, "details": error.details}
            logger.error("a replica cannot start", extra=about)
        else:
            self._first_load.set_exception(error)
        self.changed.set()
