"""The Redis Streams engine: the contract, for any number of processes that share one Redis."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from itertools import count, groupby, islice

from redis.exceptions import RedisError

from zypher.clock import Clock
from zypher.engines.engine import STOPPING
from zypher.engines.redis_streams.address import Address
from zypher.engines.redis_streams.bells import Bells
from zypher.engines.redis_streams.keys import to_text
from zypher.engines.redis_streams.link import Link
from zypher.engines.redis_streams.models import Models
from zypher.engines.redis_streams.notices import Notices
from zypher.engines.redis_streams.opening import find_way
from zypher.engines.redis_streams.records import read_told, storable
from zypher.engines.redis_streams.rounds import Rounds
from zypher.engines.redis_streams.terms import Terms
from zypher.engines.redis_streams.transitions import Transitions
from zypher.engines.redis_streams.troubles import sentence
from zypher.engines.redis_streams.work import Work
from zypher.errors import EngineError, EngineUnavailable, SchemaConflict
from zypher.prediction import Delivery, Message, Outcome, Prediction
from zypher.queue_state import QueueState, WorkerState

_FOREVER = float("inf")
_MOST_SUBMITTED = 10_000  # the oldest is looked for like any other


class RedisStreamsEngine:
    """The contract of `zypher.engines.engine`. What is accepted survives what Redis survives.

    A prediction that is not durable is kept like the others until it ends; its result is forgotten a minute
    later. Leases go by the clock of Redis. While Redis is away they go on, settles wait, and everything
    else is refused at once.
    """

    def __init__(self, address: Address, terms: Terms, clock: Clock) -> None:
        self._address = address
        self._terms = terms
        self._clock = clock
        self._opened = False
        self._ends = Bells(clock)  # by prediction id
        self._work = Work(clock)
        self._held: dict[tuple[str, str], Delivery] = {}  # received here, neither settled nor released since
        self._submitted: dict[str, Prediction | None] = {}  # those of whose end this process is told, until it is
        watcher = secrets.token_hex(4)
        told = f"{address.prefix}:told:"
        self._channel = told + watcher
        self._marks = (f"{watcher}{number}" for number in count())
        self._link = Link(address.shown, address.prefix, clock)
        self._models = Models(self._link, address.prefix)
        self._do = Transitions(self._link, self._models, terms, told, watcher)
        self._rounds = Rounds(self._link, self._models, self._do, clock, self._looked)
        self._notices = Notices(clock, self._heard)

    async def open(self) -> None:
        """Predictions that another process runs go on running; others stay queued."""
        way = await find_way(self._address, self._clock)
        self._link.open(way.client, way.exchange)
        try:
            await self._notices.start(way.listen, self._channel)
            await self._models.look()
        except BaseException as error:
            await self._stop()
            if isinstance(error, RedisError | OSError | EngineUnavailable):
                raise EngineError(sentence(error, self._address.shown)) from error
            raise
        self._rounds.start()
        self._opened = True

    async def close(self) -> None:
        """What was received here and has not ended is queued again; the attempt counts."""
        if self._opened:
            self._opened = False
            await self._give_back(list(self._held.values()))
            await self._stop()

    async def submit(self, message: Message, *, durable: bool, idempotency_key: str | None = None) -> Prediction:
        durable = durable or idempotency_key is not None
        if not durable:
            self._expect(message.prediction_id)
        while True:
            self._check_open()
            accepted = await self._do.submit(message, durable=durable, idempotency_key=idempotency_key)
            if isinstance(accepted, Prediction):
                if message.prediction_id in self._submitted:
                    self._submitted[message.prediction_id] = accepted
                return accepted
            standing = await self._do.get(message.model, accepted, watch=False)
            if standing is not None:  # else its retention ended just now, and the way is free
                return standing

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction | None:
        self._check_open()
        if wait_s is not None and wait_s <= 0:
            return await self._find(prediction_id, watch=False)
        ends = _FOREVER if wait_s is None else self._clock.monotonic() + wait_s
        with self._ends.hang(prediction_id) as bell:
            # Of what was submitted here the end is told; until it is, there is nothing to look for.
            seen = self._submitted.pop(prediction_id, None) or await self._find(prediction_id, watch=True)
            while seen is not None and not seen.status.terminal and (left_s := ends - self._clock.monotonic()) > 0:
                await bell.wait(left_s)
                bell.reset()
                self._check_open()
                if bell.said:
                    return read_told(prediction_id, seen.model, bell.said)
                with suppress(EngineUnavailable):  # it is known, and may end once Redis is back
                    seen = await self._do.get(seen.model, prediction_id, watch=True)
        return seen

    async def read(self, prediction_id: str) -> None:
        """What it keeps it keeps for its retention, read or not: only what waits is bounded."""
        self._check_open()

    async def cancel(self, prediction_id: str) -> bool:
        self._check_open()
        standing = await self._find(prediction_id, watch=False)
        return standing is not None and await self._do.cancel(standing.model, prediction_id, self._clock.now())

    async def receive(self, model: str, limit: int, wait_s: float) -> list[Delivery]:
        self._check_open()
        if limit <= 0:
            return []
        ends = self._clock.monotonic() + wait_s
        await self._notices.listen_to(self._models.keys(model).work)
        self._models.remember(model)
        with self._work.hang(model) as bell:
            if self._work.is_none(model):
                await bell.wait(wait_s)
            while True:
                self._check_open()
                bell.reset()
                deliveries = await self._take(model, limit)
                left_s = ends - self._clock.monotonic()
                if deliveries or left_s <= 0:
                    return deliveries
                await bell.wait(left_s)

    async def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        self._check_open()
        by_model = groupby(sorted(deliveries, key=_model), key=_model)
        lost = [each for model, of_it in by_model for each in await self._do.extend(model, list(of_it))]
        for delivery in lost:
            self._forget(delivery)
        return lost

    async def settle(self, delivery: Delivery, outcome: Outcome) -> bool:
        self._check_open()
        self._forget(delivery)
        outcome = storable(outcome, self._terms.value_bytes)
        settled = self._do.settle(delivery, outcome, self._clock.now(), next(self._marks))
        return await asyncio.shield(settled) == 1

    async def release(self, delivery: Delivery, *, counted: bool, delay_s: float = 0) -> bool:
        self._check_open()
        self._forget(delivery)
        released = self._do.release(delivery, counted=counted, delay_s=delay_s)
        return await asyncio.shield(released) == 1

    async def announce(self, presence: WorkerState) -> None:
        self._check_open()
        if presence.model:
            self._models.remember(presence.model)
        other = await self._do.announce(presence)
        if other:
            raise SchemaConflict(
                f"The worker {other} serves {presence.model} with other input or output types; "
                "stop all workers of the old version first, or give the new one's model another name."
            )

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        self._check_open()
        if model is not None:
            self._models.watch(model)
            return {model: await self._depth(model)}
        known = await self._models.look()
        queues = zip(known, await asyncio.gather(*map(self._depth, known)), strict=True)
        return {each: depth for each, depth in queues if _in_use(depth)}

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        self._check_open()
        return await self._do.dead(model, limit)

    async def replay(self, prediction_id: str) -> bool:
        self._check_open()
        standing = await self._find(prediction_id, watch=False)
        return standing is not None and await self._do.replay(standing.model, prediction_id)

    async def purge(self, prediction_id: str) -> bool:
        self._check_open()
        standing = await self._find(prediction_id, watch=False)
        return standing is not None and await self._do.purge(standing.model, prediction_id)

    async def _depth(self, model: str) -> QueueState:
        """A model's queue after what came due was queued again."""
        sweep = asyncio.ensure_future(self._do.sweep(model, now=True))
        problem = self._link.problem or self._rounds.problem
        _, depth = await asyncio.gather(sweep, self._do.depth(model, problem))
        return depth

    async def _find(self, prediction_id: str, *, watch: bool) -> Prediction | None:
        """The prediction, of whatever model; those that others remembered since the last round included."""
        known = self._models.known()
        found = await self._find_among(known, prediction_id, watch=watch)
        if found is None:
            new = sorted(set(await self._models.look()) - set(known))
            found = await self._find_among(new, prediction_id, watch=watch)
        return found

    async def _find_among(self, models: Sequence[str], prediction_id: str, *, watch: bool) -> Prediction | None:
        if len(models) == 1:
            return await self._do.get(models[0], prediction_id, watch=watch)
        seen = await asyncio.gather(*(self._do.get(model, prediction_id, watch=watch) for model in models))
        return next((prediction for prediction in seen if prediction is not None), None)

    async def _take(self, model: str, limit: int) -> list[Delivery]:
        receipt = secrets.token_hex(6)
        rings = self._work.rings(model)
        asked = self._do.receive(model, limit, receipt, self._clock.now())
        try:
            deliveries, ended = self._do.deliveries(model, receipt, await asyncio.shield(asked))
        except (asyncio.CancelledError, EngineUnavailable):
            asked.add_done_callback(lambda answered: self._recall(model, receipt, answered))
            raise
        if ended:
            self._work.found_end(model, rings)
        for delivery in deliveries:
            self._held[delivery.message.prediction_id, receipt] = delivery
        return deliveries

    def _recall(self, model: str, receipt: str, answered: asyncio.Future[object]) -> None:
        """Queue again what a receiver got that did not hear of it: it left, or the answer was lost on its way."""
        if answered.exception() is not None or answered.result():
            with suppress(EngineUnavailable):  # then its lease brings it back
                self._do.recall(model, receipt)

    async def _give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Queue again what was received here; the attempt counts."""
        with suppress(EngineUnavailable):  # then its lease brings it back
            released = [self._do.release(delivery, counted=True, delay_s=0) for delivery in deliveries]
            await asyncio.gather(*released)

    def _expect(self, prediction_id: str) -> None:
        """Know of a submit before the end of the prediction can be told."""
        self._submitted[prediction_id] = None
        for oldest in list(islice(self._submitted, max(0, len(self._submitted) - _MOST_SUBMITTED))):
            del self._submitted[oldest]

    def _forget(self, delivery: Delivery) -> None:
        self._held.pop((delivery.message.prediction_id, delivery.receipt), None)

    def _heard(self, channel: str, content: bytes) -> None:
        if channel == self._channel:
            told, _, result = content.partition(b"\0")
            prediction_id = to_text(told)
            self._submitted.pop(prediction_id, None)
            self._ends.ring(prediction_id, result)
        else:
            for model in self._models.known():
                if self._models.keys(model).work == channel:
                    self._work.ring(model)

    def _looked(self, ready: list[str]) -> None:
        self._ends.ring_all()
        for model in ready:
            self._work.ring(model)

    async def _stop(self) -> None:
        await self._rounds.stop()
        await self._notices.stop()
        await self._link.close()
        self._ends.ring_all()
        self._work.ring_all()

    def _check_open(self) -> None:
        if not self._opened:
            raise EngineUnavailable(STOPPING)


def _model(delivery: Delivery) -> str:
    return delivery.message.model


def _in_use(depth: QueueState) -> bool:
    return depth.queued + depth.running + depth.dead > 0 or bool(depth.workers)
