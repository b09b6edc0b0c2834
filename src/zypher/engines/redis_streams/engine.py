"""The Redis Streams engine: the contract, for any number of processes that share one Redis."""

import asyncio
import secrets
from collections.abc import Sequence
from itertools import count

from zypher.clock import Clock, elapsed_s
from zypher.engines.contract import Page, Settlement, Stop, Submission
from zypher.engines.forgetting import end_queued
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.awaited_events import AwaitedEvents
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.connection.failovers import Failovers
from zypher.engines.redis_streams.connection.failures import OUTAGE, UnusableData, describe
from zypher.engines.redis_streams.connection.handshake import Endpoint, handshake
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.finder import Finder
from zypher.engines.redis_streams.held_deliveries import HeldDeliveries
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.notifications import Notifications
from zypher.engines.redis_streams.ready_lanes import ReadyLanes
from zypher.engines.redis_streams.receiver import Receiver
from zypher.engines.redis_streams.records import read_published, storable
from zypher.engines.redis_streams.server_check import ServerCheck
from zypher.engines.redis_streams.sweeper import Sweeper
from zypher.engines.redis_streams.transitions.dead_letters import DeadLetters
from zypher.engines.redis_streams.transitions.deliveries import Deliveries, Extension
from zypher.engines.redis_streams.transitions.events import Events
from zypher.engines.redis_streams.transitions.lists import Lists
from zypher.engines.redis_streams.transitions.marks import Marks
from zypher.engines.redis_streams.transitions.submissions import Submissions, is_durable
from zypher.engines.redis_streams.transitions.workforce import Workforce
from zypher.engines.refusals import forgotten, stopping
from zypher.errors import EngineError, EngineUnavailable
from zypher.prediction import PRIORITIES, Cancellation, Delivery, Event, Lane, Message, Prediction, Status
from zypher.queue_state import EngineWarning, QueueState, WorkerState

_FOREVER = float("inf")
_COPIED_AFTER_S = 60.0  # at the latest, as the date goes: what a replica lacks then is not awaited


class RedisStreamsEngine:
    """The contract of `zypher.engines.contract`. What is accepted survives what Redis survives.

    A prediction that is not durable is kept like the others until it ends; its result is forgotten a minute
    later. Leases go by the clock of Redis. While Redis is away they go on, settles wait, and everything
    else is refused at once. With `requires_durable` a Redis that may lose what it accepts is refused at the start, and
    later durable predictions while it may.
    """

    def __init__(self, address: Address, limits: Limits, clock: Clock, *, requires_durable: bool = False) -> None:
        self._address = address
        self._limits = limits
        self._requires_durable = requires_durable
        self._clock = clock
        self._opened = False
        self._endpoint: Endpoint | None = None
        self._failovers: Failovers | None = None  # where there are sentinels
        prefix = address.prefix
        self._watcher = watcher = secrets.token_hex(4)
        self._marks = (f"{watcher}{number}" for number in count())
        self._ends = AwaitedEnds(clock)
        self._ready = ReadyLanes(clock)
        self._held = HeldDeliveries(clock)
        self._pipeline = Pipeline(address.shown, prefix, clock)
        self._models = KnownModels(self._pipeline, prefix)
        self._submissions = Submissions(self._pipeline, self._models, limits, prefix, watcher)
        self._deliveries = Deliveries(self._pipeline, self._models, limits, prefix)
        self._published = Events(self._pipeline, self._models, prefix, watcher)
        self._lists = Lists(self._pipeline, self._models)
        self._workforce = Workforce(self._pipeline, self._models, limits)
        self._dead_letters = DeadLetters(self._pipeline, self._models, limits)
        self._finder = Finder(self._models, self._submissions)
        self._events = AwaitedEvents(self._finder, self._published, clock)
        self._notifications = Notifications(self._ends, self._events, self._ready, self._held, clock)
        self._receiver = Receiver(self._models, self._deliveries, self._held, self._ready, self._notifications, clock)
        self._sweeper = Sweeper(
            self._pipeline, self._models, self._deliveries, self._ends, self._events, self._ready, clock
        )
        self._check = ServerCheck(self._pipeline, Marks(self._pipeline, prefix), clock)

    async def open(self) -> None:
        """Predictions that another process runs go on running; others stay queued."""
        self._endpoint = endpoint = await handshake(self._address, self._clock, self._limits.wait_replicas)
        self._pipeline.open(endpoint.exchange, endpoint.copied)
        try:
            await self._notifications.start(endpoint.make_subscriber, self._address.prefix, self._watcher)
            await self._models.refresh()
            await self._check.start(endpoint.make_node_clients)
            if self._not_durable is not None:
                raise EngineError(self._not_durable)
        except BaseException as error:
            await self._stop()
            if isinstance(error, OUTAGE):
                raise EngineError(describe(error, self._address.shown)) from error
            raise
        if endpoint.sentinels is not None:
            self._failovers = Failovers(endpoint.sentinels, endpoint.lines, self._pipeline, self._clock)
            self._failovers.start()
        self._sweeper.start()
        self._receiver.open()
        self._opened = True

    async def close(self) -> None:
        """What was received here and has not ended is queued again; the attempt counts."""
        if self._opened:
            self._opened = False
            await self._receiver.close()
            await self._stop()

    async def submit(self, submissions: Sequence[Submission], *, durable: bool) -> list[Prediction]:
        if not submissions:
            return []
        if self._requires_durable and any(is_durable(each, durable=durable) for each in submissions):
            self._check_durable()
        for each in submissions:
            if not is_durable(each, durable=durable):
                self._ends.expect(each.message.prediction_id)
        while True:
            self._check_open()
            answered = await self._submissions.submit(submissions, self._clock.now(), durable=durable)
            accepted = await self._with_standing(submissions[0].message.model, answered)
            if accepted is not None:
                return accepted

    async def keep(self, message: Message) -> Prediction:
        self._check_durable()
        self._ends.take(message.prediction_id)
        while True:
            self._check_open()
            if await self._submissions.keep(message):
                standing = await self._submissions.get(message.model, message.prediction_id, watch=False)
                if standing is not None:  # else its retention ended just now
                    return standing
            (accepted,) = await self.submit([Submission(message)], durable=True)
            if accepted.durable:  # else it was submitted meanwhile by one that waits
                return accepted

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction | None:
        self._check_open()
        seen = await self._get(prediction_id, wait_s)
        if seen is not None and self._limits.wait_replicas and self._is_fresh_end(seen):
            return await self._submissions.get(seen.model, prediction_id, watch=False, copied=True)
        return seen

    async def _get(self, prediction_id: str, wait_s: float | None) -> Prediction | None:
        if wait_s is not None and wait_s <= 0:
            return await self._finder.find(prediction_id, watch=False)
        ends = _FOREVER if wait_s is None else self._clock.monotonic() + wait_s
        with self._ends.waiting(prediction_id) as waiter:
            seen = self._ends.take(prediction_id) or await self._finder.find(prediction_id, watch=True)
            while seen is not None and not seen.status.terminal and (left_s := ends - self._clock.monotonic()) > 0:
                await waiter.wait(left_s)
                waiter.reset()
                if waiter.value is not None:
                    return read_published(prediction_id, seen.model, waiter.value)
                if not self._opened:
                    break
                seen = await self._look_again(seen)
        return seen

    async def read(self, prediction_id: str) -> None:
        """Changes nothing: a result is kept for its retention, read or not, for only what waits is bounded."""
        self._check_open()

    async def cancel(self, prediction_id: str) -> Cancellation:
        self._check_open()
        standing = await self._finder.find(prediction_id, watch=False)
        if standing is None:
            return Cancellation.UNKNOWN
        return await self._submissions.cancel(standing.model, prediction_id)

    async def events(self, prediction_id: str, after: int = 0, wait_s: float = 0) -> list[Event] | None:
        self._check_open()
        return await self._events.read(prediction_id, after, wait_s)

    async def page(self, model: str, *, status: Status | None = None, limit: int = 100, after: str = "") -> Page:
        self._check_open()
        return await self._lists.page(model, status, limit, after)

    async def receive(
        self, model: str, limit: int, wait_s: float, lanes: Sequence[Lane] = PRIORITIES
    ) -> list[Delivery]:
        self._check_open()
        return await self._receiver.receive(model, limit, wait_s, lanes) if limit > 0 else []

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        self._check_open()
        sent = [self._deliveries.begin(model, of_it) for model, of_it in _by_model(deliveries).items()]
        await asyncio.shield(asyncio.gather(*sent))

    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        self._check_open()
        for model, of_it in _by_model(deliveries).items():
            for delivery, extension in zip(of_it, await self._deliveries.extend(model, of_it), strict=True):
                if extension is Extension.LOST:
                    self._held.lose(delivery)
                elif extension is Extension.CANCELLED:
                    self._held.cancel(delivery)

    async def stops(self, wait_s: float) -> list[Stop]:
        self._check_open()
        stops = await self._held.stops(wait_s)
        self._check_open()
        return stops

    async def publish(self, delivery: Delivery, events: Sequence[Event]) -> bool:
        self._check_open()
        return await self._published.publish(delivery, events)

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        self._check_open()
        now = self._clock.now()
        sent: list[asyncio.Future[object]] = []
        for settlement in settlements:
            self._held.forget(settlement.delivery)
            outcome = storable(settlement.outcome, self._limits.value_bytes)
            sent.append(self._deliveries.settle(settlement.delivery, outcome, now, next(self._marks)))
        return [answer == 1 for answer in await asyncio.shield(asyncio.gather(*sent))]

    async def release(self, delivery: Delivery, *, counted: bool, delay_s: float = 0) -> bool:
        self._check_open()
        self._held.forget(delivery)
        released = self._deliveries.release(delivery, counted=counted, delay_s=delay_s)
        return await asyncio.shield(released) == 1

    async def announce(self, presence: WorkerState) -> None:
        self._check_open()
        if presence.model:
            self._models.use(presence.model)
        await self._workforce.announce(presence)

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        self._check_open()
        if model is not None:
            self._models.watch(model)
            return {model: await self._depth(model)}
        stored = await self._models.refresh()
        depths = await asyncio.gather(*map(self._depth_or_problem, stored))
        return {each: depth for each, depth in zip(stored, depths, strict=True) if depth is not None}

    def warnings(self) -> tuple[EngineWarning, ...]:
        return self._check.warnings

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        self._check_open()
        return await self._dead_letters.dead(model, limit) if limit > 0 else []

    async def replay(self, prediction_id: str) -> bool:
        self._check_open()
        standing = await self._finder.find(prediction_id, watch=False)
        return standing is not None and await self._dead_letters.replay(standing)

    async def purge(self, prediction_id: str) -> bool:
        self._check_open()
        standing = await self._finder.find(prediction_id, watch=False)
        return standing is not None and await self._dead_letters.purge(standing.model, prediction_id)

    async def forget(self, model: str) -> bool:
        self._check_open()
        await end_queued(self, model)
        return await self._workforce.forget(model)

    async def pause(self, model: str, *, paused: bool) -> None:
        self._check_open()
        written = self._models.use(model)
        if written is not None:
            await written
        await self._workforce.pause(model, paused=paused)

    async def _with_standing(self, model: str, answered: Sequence[Prediction | str]) -> list[Prediction] | None:
        """What was answered, with predictions in place of ids; None when the retention of one ended just now."""
        looks = [self._submissions.get(model, each, watch=False) for each in answered if isinstance(each, str)]
        standing = iter(await asyncio.gather(*looks) if looks else ())
        accepted: list[Prediction] = []
        for each in answered:
            if isinstance(each, Prediction):
                self._ends.accept(each)
            prediction = next(standing) if isinstance(each, str) else each
            if prediction is None:
                return None
            accepted.append(prediction)
        return accepted

    async def _depth(self, model: str) -> QueueState:
        """A model's queue after what came due was queued again."""
        sweep = asyncio.ensure_future(self._deliveries.sweep(model, at_once=True))
        problem = self._pipeline.problem or self._sweeper.problem or self._not_durable
        _, depth = await asyncio.gather(sweep, self._workforce.depth(model, problem))
        return depth

    async def _depth_or_problem(self, model: str) -> QueueState | None:
        """None for a queue that is not in use; an empty one with a problem for a model whose keys cannot be used."""
        try:
            depth = await self._depth(model)
        except UnusableData as error:
            return QueueState(0, 0, None, None, self._limits.queue_limit, (), problem=str(error))
        return depth if _in_use(depth) else None

    def _is_fresh_end(self, seen: Prediction) -> bool:
        """Whether replicas may lack a durable end. One that is older is shown, even if they are away."""
        return (
            seen.durable
            and seen.finished_at is not None
            and elapsed_s(seen.finished_at, self._clock.now()) < _COPIED_AFTER_S
        )

    async def _look_again(self, seen: Prediction) -> Prediction:
        """The prediction now; as it was seen while Redis is away, for it may end once Redis is back.

        Raises `EngineUnavailable` when Redis has forgotten it, as after a failover to an empty replica.
        """
        try:
            now = await self._submissions.get(seen.model, seen.prediction_id, watch=True)
        except UnusableData:
            raise
        except EngineUnavailable:
            return seen
        if now is None:
            raise forgotten()
        return now

    async def _stop(self) -> None:
        await self._check.stop()
        await self._sweeper.stop()
        if self._failovers is not None:
            await self._failovers.stop()
        await self._notifications.stop()
        await self._pipeline.close()
        if self._endpoint is not None:
            await self._endpoint.close()
        self._ends.wake_all()
        self._events.wake_all()
        self._ready.wake_all()

    @property
    def _not_durable(self) -> str | None:
        """Why no durable prediction is accepted, a sentence; None while the engine is durable or need not be."""
        warning = self._check.not_durable if self._requires_durable else None
        return None if warning is None else f"--require-durable-engine refuses this engine: {warning.sentence}"

    def _check_durable(self) -> None:
        if self._not_durable is not None:
            raise EngineUnavailable(self._not_durable)

    def _check_open(self) -> None:
        if not self._opened:
            raise stopping()


def _by_model(deliveries: Sequence[Delivery]) -> dict[str, list[Delivery]]:
    by_model: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        by_model.setdefault(delivery.message.model, []).append(delivery)
    return by_model


def _in_use(depth: QueueState) -> bool:
    return depth.queued + depth.running + depth.dead > 0 or bool(depth.workers) or depth.card is not None
