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

    def __init__(self, make: MakeReplica, count: int, slots: Slots, clock: Clock, setup_timeout_s: float = 0.0) -> None:
        """`setup_timeout_s` is the longest that a replica may take to load its model, 0 for any."""
        self.count = count
        self.slots = slots
        self.card: ModelCard | None = None
        self.problem: str | None = None  # why a replica cannot start
        self.loaded: set[Replica] = set()  # those that have their model and live
        self.stuck: dict[Replica, str] = {}  # those that were set aside, and why
        self.changed = asyncio.Event()  # set whenever any of this has changed
        self._make = make
        self._clock = clock
        self._setup_timeout_s = setup_timeout_s
        self.living: set[Replica] = set()  # all whose processes live, those that are being replaced, too
        self._replacements: dict[Replica, asyncio.Future[bool]] = {}  # True: to be replaced, False: dead
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

    def replace(self, replica: Replica) -> None:
        """Start another replica in the place of this one, which works on until then and ends once it has nothing left.

        Whatever ignored its stop there ends with it.
        """
        order = self._replacements.get(replica)
        if order is not None and not order.done():
            logger.warning("a replica is being replaced", extra={"replica": replica.number, "pid": replica.pid})
            order.set_result(True)

    async def ended(self) -> BaseException | None:
        """Wait until they are kept no more: the error of ours that is the cause, None for `stop`."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        return next((keeper.exception() for keeper in done if not keeper.cancelled()), None)

    async def stop(self) -> None:
        """End every replica; what still runs in them is lost, and idle ones have a moment to close their models."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for replica in self.living:
            replica.close()
        self._stopping = True
        if self._hurried:
            self.hurry()
        await asyncio.gather(*(replica.ended() for replica in self.living))

    def hurry(self) -> None:
        """Give them no time to end in order, also in a `stop` that has begun."""
        self._hurried = True
        if self._stopping:
            for replica in self.living:
                replica.kill()

    async def _keep(self, number: int) -> None:
        """Start a replica again each time it ends, later and later while it cannot work.

        One that died with an attempt in it is started again at once: whatever kills replicas is
        tried `max_attempts` times, and the predictions behind it need not wait for that.
        """
        failures = 0
        leaving: asyncio.Task[None] | None = None
        replaced = asyncio.get_running_loop().create_future()
        try:
            while True:
                if failures:
                    await self._clock.sleep(restart_delay_s(failures))
                replica = self._make(number)
                end = await self._live(replica, replaced)
                failures = 0 if replica.has_run else failures + 1
                if end is None:
                    continue
                if leaving is not None and not await self._first_has_left(leaving, replica, end):
                    continue
                replaced = asyncio.get_running_loop().create_future()
                leaving = asyncio.create_task(self._leave(replica, end, replaced))
        finally:
            if leaving is not None:
                leaving.cancel()

    async def _live(self, replica: Replica, loaded: "asyncio.Future[None]") -> "asyncio.Future[str] | None":
        """One replica from its start to its death; or until it is to be replaced, then the future of its end."""
        try:
            await replica.start()
        except OSError as error:
            problem = f"The system cannot start a process for a replica: {error.strerror}."
            self._refused(replica, TargetError(problem))
            return None
        self.living.add(replica)
        order = self._replacements[replica] = asyncio.get_running_loop().create_future()
        end = asyncio.ensure_future(replica.ended())
        end.add_done_callback(lambda _: order.done() or order.set_result(False))
        try:
            if await self._load(replica) and not loaded.done():
                loaded.set_result(None)
            if await order:
                return end
        except BaseException:
            end.cancel()
            raise
        finally:
            del self._replacements[replica]
            if end.done():
                self._forget(replica)
        self._report_end(replica, end.result())
        return None

    async def _first_has_left(self, leaving: asyncio.Task[None], replica: Replica, end: "asyncio.Future[str]") -> bool:
        """Wait for the replica before this one: two of one number at a time, no more, for each holds a whole model.

        False when this one has died meanwhile.
        """
        try:
            await asyncio.wait({leaving, end}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            end.cancel()
            raise
        if leaving.done():
            leaving.result()
            return True
        self._forget(replica)
        self._report_end(replica, end.result())
        return False

    async def _leave(self, replica: Replica, end: "asyncio.Future[str]", replaced: "asyncio.Future[None]") -> None:
        """What is left of a replica's life once it is to be replaced."""
        try:
            await asyncio.wait({end, replaced}, return_when=asyncio.FIRST_COMPLETED)
            self._forget(replica)
            await self._empty(replica, end)
            replica.close()
            cause = await end
        finally:
            end.cancel()
        self._report_end(replica, cause)

    async def _empty(self, replica: Replica, end: "asyncio.Future[str]") -> None:
        emptied = asyncio.ensure_future(replica.emptied())
        try:
            await asyncio.wait({end, emptied}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            emptied.cancel()

    def _report_end(self, replica: Replica, cause: str) -> None:
        self.living.discard(replica)
        logger.warning("a replica died", extra={"replica": replica.number, "cause": cause})

    async def _load(self, replica: Replica) -> bool:
        try:
            self.card = await self._loaded(replica)
        except TargetError as error:
            self._refused(replica, error)
            return False
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
        return True

    async def _loaded(self, replica: Replica) -> ModelCard:
        if self._setup_timeout_s == 0:
            return await replica.loaded()
        late_s = self._clock.monotonic() + self._setup_timeout_s
        timer = self._clock.call_later(self._setup_timeout_s, replica.kill)
        try:
            return await replica.loaded()
        except TargetError:
            if self._clock.monotonic() < late_s:
                raise
            raise TargetError(
                f"The model took longer than {self._setup_timeout_s:g} s to load (--setup-timeout-s)."
            ) from None
        finally:
            timer.cancel()

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
