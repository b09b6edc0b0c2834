"""Keeps a number of replicas alive."""

import asyncio
import logging
from collections.abc import Callable

from zypher.clock import Clock
from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.worker.replica import Launch, Replica
from zypher.worker.retry import restart_delay_s
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)


class Replicas:
    """The worker's replicas, started again when they die.

    `changed` is called whenever one becomes ready, dies or cannot start; `died` when they are kept no more, by
    an error of ours.
    """

    def __init__(
        self,
        launch: Launch,
        count: int,
        clock: Clock,
        changed: Callable[[], None],
        died: Callable[[BaseException], None],
    ) -> None:
        self.count = count
        self.slots = Slots()
        self.card: ModelCard | None = None
        self.problem: str | None = None  # why a replica cannot start
        self._launch = launch
        self._clock = clock
        self._changed = changed
        self._died = died
        self._alive: set[Replica] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._first_load: asyncio.Future[ModelCard] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Begin to start the replicas."""
        self._keepers = [
            asyncio.create_task(self._keep(number), name=f"replica {number}") for number in range(1, self.count + 1)
        ]
        for keeper in self._keepers:
            keeper.add_done_callback(self._kept)

    async def loaded(self) -> ModelCard:
        """The model's card, as soon as one replica has loaded it. Raises `TargetError` if the first cannot."""
        return await asyncio.shield(self._first_load)

    async def stop(self) -> None:
        """End every replica; what still runs in them is lost, and idle ones have a moment to close their models."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for replica in self._alive:
            replica.stop()
        await asyncio.gather(*(replica.ended() for replica in self._alive))

    async def _keep(self, number: int) -> None:
        """Start a replica again each time it ends, later and later while it cannot work.

        One that died with an attempt in it is started again at once: whatever kills replicas is
        tried `max_attempts` times, and the predictions behind it need not wait for that.
        """
        failures = 0
        while True:
            await self._clock.sleep(restart_delay_s(failures))
            replica = Replica(number, self._launch)
            await self._live(replica)
            failures = 0 if replica.begun else failures + 1

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        if not keeper.cancelled() and (error := keeper.exception()) is not None:
            self._died(error)

    async def _live(self, replica: Replica) -> None:
        """One replica from its start to its death."""
        try:
            await replica.start()
        except OSError as error:
            self._refused(TargetError(f"The system cannot start a process for a replica: {error.strerror}."))
            return
        self._alive.add(replica)
        ended = asyncio.ensure_future(replica.ended())
        try:
            await self._load(replica)
            cause = await ended
        finally:
            self.slots.remove(replica)
        self._alive.discard(replica)
        logger.warning("a replica died", extra={"replica": replica.number, "cause": cause})
        self._changed()

    async def _load(self, replica: Replica) -> None:
        try:
            self.card = await replica.loaded()
        except TargetError as error:
            self._refused(error)
            return
        self.problem = None
        logger.info("replica ready", extra={"replica": replica.number, "pid": replica.pid, "slots": replica.slots})
        self.slots.add(replica)
        if not self._first_load.done():
            self._first_load.set_result(self.card)
        self._changed()

    def _refused(self, error: TargetError) -> None:
        self.problem = str(error)
        if not self._first_load.done():
            self._first_load.set_exception(error)
        else:
            logger.error("a replica cannot start", extra={"problem": self.problem, "details": error.details})
        self._changed()
