"""Random histories of all operations, played on an engine and on a model that is too simple to be wrong."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.contract.conftest import LIMIT_BYTES, RETENTION_S, Place
from tests.contract.phrases import LOST, MODEL, depth, turns
from zypher.engines.contract import Engine, Stop
from zypher.prediction import (
    Delivery,
    Lane,
    Message,
    Outcome,
    Prediction,
    Status,
    StopReason,
)

QUEUE_LIMIT = 8


@dataclass
class Known:
    """What the model has of a prediction or a notice."""

    message: Message
    durable: bool
    key: str | None = None
    place: int = 0  # in its lane
    row: int = 0  # its place after the engine was opened again
    attempt: int = 0
    events: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])  # attempts and contents
    delivery: Delivery | None = None  # the one that it is leased under
    due_at: datetime | None = None  # the end of its lease, or of its delay
    deadline: datetime | None = None
    stop_asked: bool = False
    outcome: Outcome | None = None
    ended_at: datetime | None = None

    @property
    def lane(self) -> Lane:
        return self.message.options.lane

    @property
    def queued(self) -> bool:
        return self.outcome is None and self.delivery is None

    @property
    def status(self) -> Status:
        if self.outcome is not None:
            return self.outcome.status
        return Status.QUEUED if self.delivery is None else Status.RUNNING


class History:
    """One engine in one place, and what must be true of it."""

    engine: Engine

    def __init__(self, place: Place, *, reopens: bool) -> None:
        """`reopens` says that what an engine leaves behind is queued when another one is opened."""
        self.place = place
        self.reopens = reopens
        self.known: dict[str, Known] = {}
        self.deliveries: list[Delivery] = []
        self.stops: set[Stop] = set()
        self.unseen_notices = Counter[str]()  # ids of predictions whose end nobody received yet
        self.ends = Counter[str]()  # of predictions with `notify`
        self.paused = False
        self.places = 0

    @property
    def now(self) -> datetime:
        return self.place.clock.now()

    async def open(self) -> None:
        self.engine = self.place.make(queue_limit=QUEUE_LIMIT, limit_bytes=LIMIT_BYTES)
        await self.engine.open()

    # What becomes of a prediction.

    def accept(self, sent: Message, *, durable: bool, key: str | None = None) -> None:
        known = self.known[sent.prediction_id] = Known(sent, durable, key, deadline=sent.options.deadline)
        known.place = known.row = self.next_place()

    def next_place(self) -> int:
        self.places += 1
        return self.places

    def end(self, known: Known, outcome: Outcome, at: datetime) -> None:
        known.outcome, known.ended_at, known.delivery, known.due_at = outcome, at, None, None
        if known.message.options.notify:
            self.unseen_notices[known.message.prediction_id] += 1
            self.ends[known.message.prediction_id] += 1

    def give_back(self, known: Known, at: datetime, due_at: datetime | None = None) -> None:
        known.delivery, known.due_at = None, due_at
        if known.stop_asked:
            self.end(known, Outcome(Status.CANCELLED), at)
        else:
            self.expire(known, at)

    def expire(self, known: Known, at: datetime) -> None:
        if known.queued and known.deadline is not None and known.deadline <= at:
            self.end(known, Outcome(Status.EXPIRED), at)

    def forgotten(self, known: Known) -> bool:
        return known.ended_at is not None and known.ended_at + timedelta(seconds=RETENTION_S) <= self.now

    def waiting(self) -> list[Known]:
        """The predictions that are queued, delayed ones included."""
        return [each for each in self.known.values() if each.queued and each.lane is not Lane.WEBHOOKS]

    def let_time_pass(self, seconds: float) -> None:
        until = self.now + timedelta(seconds=seconds)
        self.place.clock.advance(seconds)
        instants = {each.due_at for each in self.known.values()} | {each.deadline for each in self.known.values()}
        for at in sorted(instant for instant in instants if instant is not None and instant <= until):
            for known in list(self.known.values()):
                self.reach(known, at)

    def reach(self, known: Known, at: datetime) -> None:
        """What happens to it at this instant."""
        if known.due_at is not None and known.due_at <= at:
            if known.delivery is None:
                known.due_at = None
            else:
                self.stops.add(Stop(known.delivery, StopReason.LEASE_LOST))
                self.give_back(known, at)
        self.expire(known, at)

    def leased(self, delivery: Delivery) -> Known | None:
        """What this delivery still holds."""
        known = self.known[delivery.message.prediction_id]
        held = known.delivery
        return known if held is not None and held.receipt == delivery.receipt else None

    # What must be true at any moment.

    async def check(self) -> None:
        await depth(self.engine)
        await turns(3)
        for prediction_id, known in list(self.known.items()):
            await self.check_one(prediction_id, known)
        await self.check_counts()
        await self.check_lists()
        await self.check_stops()

    async def check_one(self, prediction_id: str, known: Known) -> None:
        if not known.durable and known.outcome is not None:
            found = await self.engine.get(prediction_id)
            assert found is None or found.outcome in {known.outcome, None}
            return
        wait_s = None if known.outcome is not None and not self.forgotten(known) else 0
        async with asyncio.timeout(10):
            found = await self.engine.get(prediction_id, wait_s)
        if self.forgotten(known):
            assert found is None, found
            return
        assert found is not None
        assert (found.status, found.attempt, found.outcome) == (known.status, known.attempt, known.outcome)
        assert found.durable == known.durable
        assert (found.position > 0) == known.queued
        await self.check_events(prediction_id, known)

    async def check_events(self, prediction_id: str, known: Known) -> None:
        events = await self.engine.events(prediction_id)
        assert events is not None
        assert [each.number for each in events] == list(range(1, len(known.events) + 1))
        assert [(each.attempt, each.content) for each in events] == known.events

    async def check_counts(self) -> None:
        queue = await depth(self.engine)
        waiting = self.waiting()
        running = [each for each in self.known.values() if each.delivery and each.lane is not Lane.WEBHOOKS]
        delayed = [each for each in waiting if each.due_at is not None]
        assert (queue.queued, queue.running, queue.delayed) == (len(waiting), len(running), len(delayed))
        assert (queue.dead, queue.paused) == (len(self.dead()), self.paused)

    def dead(self) -> list[str]:
        dead = [each for each in self.known.values() if each.outcome == LOST and each.durable]
        return [each.message.prediction_id for each in dead if not self.forgotten(each)]

    async def check_lists(self) -> None:
        assert sorted(each.prediction_id for each in await self.engine.dead(MODEL, 100)) == sorted(self.dead())
        kept = [each for each in self.known.values() if each.durable and each.lane is not Lane.WEBHOOKS]
        kept = sorted((each for each in kept if not self.forgotten(each)), key=lambda each: -each.row)
        for status in (None, *Status):
            expected = [each.message.prediction_id for each in kept if status in {None, each.status}]
            found = await self.listed(status)
            assert [each.prediction_id for each in found] == expected
            assert all(self.known[each.prediction_id].status is each.status for each in found)

    async def listed(self, status: Status | None) -> list[Prediction]:
        page = await self.engine.page(MODEL, status=status, limit=3)
        found = page.predictions
        while page.after is not None:
            assert len(page.predictions) <= 3
            page = await self.engine.page(MODEL, status=status, limit=3, after=page.after)
            found = [*found, *page.predictions]
        return found

    async def check_stops(self) -> None:
        held = [known.delivery for known in self.known.values() if known.delivery is not None]
        await self.engine.extend([each for each in self.deliveries if each not in held])
        found = await self.engine.stops(0)
        assert len(found) == len(set(found))
        assert set(found) == self.stops
        self.stops.clear()
