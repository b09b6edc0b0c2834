"""The worker: takes deliveries from an engine, runs them in replicas, gives outcomes back."""

import asyncio
import logging
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from zypher.clock import Clock
from zypher.engines.engine import Deliveries
from zypher.errors import EngineUnavailable
from zypher.model_card import ModelCard
from zypher.prediction import Delivery, Outcome
from zypher.queue_state import WorkerState
from zypher.telemetry.metrics import Metrics
from zypher.worker.duty import Duty
from zypher.worker.executor import Executor
from zypher.worker.lease import Leases
from zypher.worker.prediction_log import PredictionLog
from zypher.worker.receiver import Receiver
from zypher.worker.replica import Launch
from zypher.worker.replicas import Replicas
from zypher.worker.retry import Retry

logger = logging.getLogger(__name__)

_PAUSE_S = 1.0
_MOST_UNSETTLED = 1_000  # outcomes that wait in memory for an engine that cannot take them


class WorkerPlan(msgspec.Struct, frozen=True):
    """What a worker is asked to do."""

    launch: Launch
    replicas: int
    max_attempts: int
    lease_s: float


class _Attempt:
    """A delivery that runs."""

    __slots__ = ("delivery", "task")

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.task: asyncio.Task[None] | None = None


class Worker:
    """Runs one model's predictions. Life: `start`, `run`, `drain`, `stop`."""

    def __init__(self, plan: WorkerPlan, engine: Deliveries, clock: Clock, metrics: Metrics) -> None:
        self.worker_id = secrets.token_hex(6)
        self._loop = asyncio.get_running_loop()
        self.died: asyncio.Future[None] = self._loop.create_future()
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._log = PredictionLog(plan.launch.log)
        self._running: set[_Attempt] = set()
        self._settling = 0  # of those that run: the attempt has ended, the engine has not yet taken the outcome
        self._draining = False
        self._replicas = Replicas(plan.launch, plan.replicas, clock, self._changed, self._died)
        self._executor = Executor(self._replicas.slots, plan.max_attempts, metrics)
        self._leases = Leases(engine, clock, plan.lease_s, self._deliveries, self.state)
        # After the engine was away a lease must be extended before it ends, however short it is.
        self._lease_duty = Duty("leases", self._leases.step, clock, self._died, min(_PAUSE_S, plan.lease_s / 6))
        self._receiver: Receiver | None = None
        self._receive_duty: Duty | None = None

    def start(self) -> None:
        """Begin to start the replicas."""
        self._replicas.start()

    async def run(self) -> ModelCard:
        """Wait until the model is loaded, then begin to receive. Raises `TargetError` and `SchemaConflict`."""
        card = await self._replicas.loaded()
        await self._announce()
        self._receiver = Receiver(self._engine, card.name, self._free_slots, self._begin)
        self._receive_duty = Duty("receiver", self._receiver.step, self._clock, self._died)
        self._receive_duty.start()
        self._lease_duty.start()
        return card

    async def drain(self, timeout_s: float) -> None:
        """Receive no more, let what runs finish within `timeout_s`, hand the rest back to the queue."""
        self._draining = True
        if self._receive_duty is not None:
            await self._receive_duty.stop()
            with suppress(EngineUnavailable):  # its lease will end all the same
                await self._engine.announce(self.state())
        if self._running:
            logger.info("draining", extra={"running": len(self._running), "timeout_s": timeout_s})
            await asyncio.wait(_tasks(self._running), timeout=timeout_s)

    async def stop(self) -> None:
        """End now: hand back what still runs, end the replicas."""
        for duty in (self._receive_duty, self._lease_duty):
            if duty is not None:
                await duty.stop()
        await self._hand_back()
        if self._receiver is not None:
            with suppress(EngineUnavailable):  # the lease of its presence will end all the same
                await self._engine.announce(self._last_word())
        await self._replicas.stop()

    async def _hand_back(self) -> None:
        unfinished, tasks = self._deliveries(), _tasks(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not unfinished:
            return
        try:
            await asyncio.gather(*(self._engine.release(each, counted=False) for each in unfinished))
        except EngineUnavailable as error:
            # Nothing is lost: their leases end and bring them back.
            logger.warning("the engine did not take back what ran", extra={"problem": str(error)})
        else:
            logger.info("handed back to the queue", extra={"predictions": len(unfinished)})

    async def _announce(self) -> None:
        """Say for the first time that this worker is there, as soon as the engine is."""
        while True:
            try:
                return await self._engine.announce(self.state())
            except EngineUnavailable as error:
                logger.warning("the engine is away", extra={"problem": str(error)})
                await self._clock.sleep(_PAUSE_S)

    def _free_slots(self) -> int:
        if self._settling >= _MOST_UNSETTLED:
            return 0
        return self._replicas.slots.total - (len(self._running) - self._settling)

    def _begin(self, deliveries: Sequence[Delivery]) -> None:
        now = self._clock.now()
        for delivery in deliveries:
            self._metrics.received(delivery.message, now)
            attempt = _Attempt(delivery)
            self._running.add(attempt)
            attempt.task = self._loop.create_task(self._run(attempt))

    async def _run(self, attempt: _Attempt) -> None:
        """One delivery from its attempt to its end in the engine."""
        delivery = attempt.delivery
        try:
            decision = await self._executor.execute(delivery)
            if isinstance(decision, Retry):
                await self._engine.release(delivery, counted=decision.counted, delay_s=decision.delay_s)
            else:
                await self._settle(delivery, decision)
        except EngineUnavailable as error:
            # Nothing is lost: its lease ends and brings it back.
            about = {"prediction_id": delivery.message.prediction_id, "problem": str(error)}
            logger.warning("the engine did not take the outcome", extra=about)
        except Exception:
            # An error of ours; the prediction is not lost, its lease ends and brings it back.
            about = {"prediction_id": delivery.message.prediction_id}
            logger.exception("an attempt was given up", extra=about)
        finally:
            self._running.discard(attempt)
            if self._receiver is not None:
                self._receiver.look_again()

    async def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        self._settling += 1
        if self._receiver is not None:
            self._receiver.look_again()  # its slot is free, however long the engine takes
        try:
            settled = await self._engine.settle(delivery, outcome)
        finally:
            self._settling -= 1
        if settled:
            self._metrics.settled(delivery.message.model, outcome)
        self._log.settled(delivery, outcome, counts=settled)

    def state(self) -> WorkerState:
        """What it says of itself at this moment."""
        card = self._replicas.card
        return WorkerState(
            worker_id=self.worker_id,
            model=card.name if card else "",
            card=card,
            replicas=self._replicas.count,
            ready_replicas=self._replicas.slots.replicas,
            slots=self._replicas.slots.total,
            problem=self._replicas.problem,
            draining=self._draining,
            announced_at=self._clock.now(),
        )

    def _deliveries(self) -> list[Delivery]:
        """Those that run."""
        return [attempt.delivery for attempt in self._running]

    def _last_word(self) -> WorkerState:
        return msgspec.structs.replace(self.state(), replicas=0, ready_replicas=0, slots=0, draining=True)

    def _changed(self) -> None:
        self._leases.look_again()
        if self._receiver is not None:
            self._receiver.look_again()

    def _died(self, error: BaseException) -> None:
        if not self.died.done():
            self.died.set_exception(error)


def _tasks(attempts: Iterable[_Attempt]) -> list[asyncio.Task[None]]:
    return [attempt.task for attempt in attempts if attempt.task is not None]
