"""The worker: takes deliveries from an engine, runs them in replicas, gives outcomes back."""

import asyncio
import logging
import secrets
from contextlib import suppress

import msgspec

from zypher.background_loop import BackgroundLoop
from zypher.clock import Clock
from zypher.errors import EngineUnavailable
from zypher.model_card import ModelCard
from zypher.queue_state import WorkerState
from zypher.settings import LogSettings
from zypher.telemetry.metrics import Metrics
from zypher.worker.announcer import Announcer
from zypher.worker.attempt import Attempts, Endings
from zypher.worker.beginnings import Beginnings, FirstRecords
from zypher.worker.events import Events
from zypher.worker.heartbeat import PER_SILENCE, Heartbeat
from zypher.worker.leases import PER_LEASE, Leases
from zypher.worker.limits import Limits
from zypher.worker.prediction_log import PredictionLog
from zypher.worker.process_replica import Launch, ProcessReplica
from zypher.worker.publisher import Publisher
from zypher.worker.receiver import Receiver
from zypher.worker.replica import MakeReplica
from zypher.worker.replicas import Replicas
from zypher.worker.revisions import Revisions, WorkerEngine
from zypher.worker.settler import Settler
from zypher.worker.slots import Slots
from zypher.worker.stops import Stops

logger = logging.getLogger(__name__)

_PAUSE_S = 1.0


class WorkerPlan(msgspec.Struct, frozen=True):
    """What a worker is asked to do."""

    replicas: int
    max_attempts: int
    lease_s: float
    silence_s: float  # that is borne of a replica
    timeout_s: float | None  # longest run of an attempt, 0 for any; None: what the model states, else an hour
    setup_timeout_s: float  # longest load of a model, 0 for any
    grace_s: float  # that a stopped attempt has to end
    log: LogSettings


def worker_of(launch: Launch, plan: WorkerPlan, engine: WorkerEngine, clock: Clock, metrics: Metrics) -> "Worker":
    """A worker whose replicas are processes."""
    endings, events = Endings(), Events()

    def make(number: int) -> ProcessReplica:
        return ProcessReplica(number, launch, endings, events, clock, metrics)

    return Worker(plan, make, endings, events, engine, clock, metrics)


class Worker:
    """Runs one model's predictions. Life: `start`, `run`, `drain`, `stop`."""

    def __init__(
        self,
        plan: WorkerPlan,
        make: MakeReplica,
        endings: Endings,
        events: Events,
        engine: WorkerEngine,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """`make` makes replicas that add what their attempts report to `events`, and how these end to `endings`."""
        self.worker_id = secrets.token_hex(6)
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # fails with the cause
        self._engine = engine
        self._clock = clock
        self._attempts = attempts = Attempts()
        slots = Slots(endings, plan.max_attempts)
        self._replicas = replicas = Replicas(make, plan.replicas, slots, clock, plan.setup_timeout_s)
        self._announcer = Announcer(engine, clock, replicas, self.worker_id, plan.lease_s)
        log = PredictionLog(plan.log, clock)
        publisher = Publisher(engine, clock, events)
        self._settler = settler = Settler(engine, attempts, slots, endings, publisher, metrics, log)
        revisions = Revisions(engine, replicas, clock)
        self._receiver = Receiver(engine, clock, attempts, slots, settler, metrics, revisions)
        extend_s = plan.lease_s / PER_LEASE
        self._leases = leases = Leases(engine, attempts, extend_s)
        stops = Stops(engine, attempts, slots)
        limits = Limits(attempts, replicas, stops, clock, plan.timeout_s, plan.grace_s)
        beginnings = Beginnings(engine, clock, attempts, replicas)
        heartbeat = Heartbeat(replicas, plan.silence_s)
        # After the engine was away a lease must be extended before it ends, however short it is.
        pause_s = min(_PAUSE_S, extend_s)
        self._receiving = BackgroundLoop("receiver", self._receiver.step, clock, _PAUSE_S)
        self._announcing = BackgroundLoop("announcer", self._announcer.step, clock, pause_s)
        self._assumed = False
        self._loops = [
            BackgroundLoop("settler", settler.step, clock, _PAUSE_S),
            BackgroundLoop("leases", leases.step, clock, pause_s, period_s=extend_s),
            BackgroundLoop("stops", stops.step, clock, pause_s),
            BackgroundLoop("limits", limits.step, clock),
            BackgroundLoop("publisher", publisher.step, clock),
            BackgroundLoop("first-records", FirstRecords(engine, slots).step, clock, pause_s),
            BackgroundLoop("beginnings", beginnings.step, clock, pause_s),
            BackgroundLoop("heartbeat", heartbeat.step, clock, period_s=plan.silence_s / PER_SILENCE),
        ]
        self._watches: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to start the replicas."""
        self._replicas.start()
        self._watches.append(asyncio.create_task(self._watch(self._replicas)))

    async def run(self) -> ModelCard:
        """Wait until the model is loaded, then begin to receive.

        Raises `TargetError`; called again, it waits for the next replica that loads its model or cannot.
        """
        card = await self._replicas.first_card()
        await self._announce()
        self._receiver.model = card.name
        for loop in (self._receiving, *self._loops, *(() if self._assumed else (self._announcing,))):
            self._begin(loop)
        return card

    def assume(self, card: ModelCard) -> None:
        """Announce, until `run` has a card, why the model of this one cannot be loaded."""
        self._replicas.assume(card)
        self._assumed = True
        self._begin(self._announcing)

    async def drain(self, timeout_s: float) -> None:
        """Receive no more, and let what runs finish within `timeout_s`."""
        self._announcer.draining = True
        await self._receiving.stop()
        if self.state().model:
            with suppress(EngineUnavailable):  # what was announced before holds for a lease at most
                await self._announcer.announce()
        if self._attempts:
            logger.info("draining", extra={"running": len(self._attempts), "timeout_s": timeout_s})
            await self._finish(timeout_s)

    async def stop(self) -> None:
        """End now: hand back what still runs, end the replicas."""
        for loop in (self._receiving, self._announcing, *self._loops):
            await loop.stop()
        await self._leases.stop()
        await self._settler.stop()
        await self._hand_back()
        if self.state().model:
            with suppress(EngineUnavailable):  # what was announced before holds for a lease at most
                await self._engine.announce(_stopped(self.state()))
        await self._replicas.stop()
        await asyncio.gather(*self._watches)

    def hurry(self) -> None:
        """Give replicas no time to end in order, also in a `stop` that has begun."""
        self._replicas.hurry()

    def state(self) -> WorkerState:
        """What it is at this moment."""
        return self._announcer.state()

    async def _announce(self) -> None:
        """Announce the worker for the first time, as soon as the engine is there."""
        while True:
            try:
                return await self._announcer.announce()
            except EngineUnavailable as error:
                logger.warning("the engine is away", extra={"problem": str(error)})
                await self._clock.sleep(_PAUSE_S)

    async def _finish(self, timeout_s: float) -> None:
        finished = asyncio.ensure_future(self._attempts.emptied())
        late = asyncio.ensure_future(self._clock.sleep(timeout_s))
        try:
            await asyncio.wait({finished, late}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            finished.cancel()
            late.cancel()

    async def _hand_back(self) -> None:
        """Release what has not ended; it does not count as an attempt."""
        unfinished = self._attempts.deliveries()
        if not unfinished:
            return
        try:
            await asyncio.gather(*(self._engine.release(each, counted=False) for each in unfinished))
        except EngineUnavailable as error:
            # Nothing is lost: their leases end and bring them back.
            logger.warning("the engine did not take back what ran", extra={"problem": str(error)})
        else:
            logger.info("handed back to the queue", extra={"predictions": len(unfinished)})

    def _begin(self, loop: BackgroundLoop) -> None:
        loop.start()
        self._watches.append(asyncio.create_task(self._watch(loop)))

    async def _watch(self, watched: BackgroundLoop | Replicas) -> None:
        """Die of what ends a part of it that should live as long."""
        error = await watched.ended()
        if error is not None and not self.died.done():
            self.died.set_exception(error)


def _stopped(state: WorkerState) -> WorkerState:
    return msgspec.structs.replace(state, replicas=0, ready_replicas=0, slots=0, draining=True)
