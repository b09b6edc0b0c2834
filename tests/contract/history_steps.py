"""The steps of random histories: what is done with an engine, and what the model expects of it."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random

from tests.contract.conftest import LEASE_S, RETENTION_S
from tests.contract.histories import QUEUE_LIMIT, History, Known
from tests.contract.phrases import FAILED, LOST, MODEL, SUCCEEDED, depth, message, settle_one
from zypher.engines.contract import Stop, Submission
from zypher.errors import IdempotencyKeyReused, QueueFull
from zypher.prediction import (
    PRIORITIES,
    Cancellation,
    Delivery,
    Event,
    EventKind,
    Lane,
    Options,
    Outcome,
    Status,
    StopReason,
)

Step = Callable[[History, Random], Awaitable[None]]
STEPS: dict[str, Step] = {}
_LANES = (PRIORITIES, PRIORITIES[::-1], (Lane.NORMAL,), (Lane.HIGH, Lane.LOW), (Lane.WEBHOOKS,))
_OUTCOMES = (SUCCEEDED, FAILED, LOST, Outcome(Status.CANCELLED))
# Whole tens pass at once and nothing else is due within seconds of that: a Redis answers in real time, too.
_SPANS_S = (10, 10, 10, 20, 30, 60)
_DEADLINES_S = (5, 15, 45)
_DELAYS_S = (0, 5, 15)


def step(take: Step) -> Step:
    """One that a history may have."""
    STEPS[take.__name__] = take
    return take


@step
async def submit(history: History, choose: Random) -> None:
    durable, number = choose.random() < 0.6, choose.choice((1, 1, 1, 3))
    sent = [
        Submission(message(b'"%d"' % choose.randrange(2), options=_options(history, choose))) for _ in range(number)
    ]
    key = f"key/{choose.randrange(4)}" if choose.random() < 0.2 else None
    sent[0] = Submission(sent[0].message, key)
    standing = next((each for each in history.known.values() if key and each.key == key), None)
    if standing is not None and history.forgotten(standing):
        standing.key = standing = None
    new = sent if standing is None else sent[1:]
    reused = standing is not None and standing.message.input != sent[0].message.input
    full = len(history.waiting()) + len(new) > QUEUE_LIMIT and bool(new)
    try:
        accepted = await history.engine.submit(sent, durable=durable)
    except QueueFull:
        assert full
        return
    except IdempotencyKeyReused:
        assert reused
        return
    assert not full
    assert not reused
    expected = [each.message.prediction_id for each in sent]
    if standing is not None:
        expected[0] = standing.message.prediction_id
    assert [each.prediction_id for each in accepted] == expected
    for each, prediction in zip(sent, accepted, strict=True):
        if each in new:
            lasts = durable or each.idempotency_key is not None or each.message.options.notify
            assert prediction.durable or not lasts
            history.accept(each.message, durable=prediction.durable, key=each.idempotency_key)


def _options(history: History, choose: Random) -> Options:
    deadline = None
    if choose.random() < 0.3:
        deadline = history.now + timedelta(seconds=choose.choice(_DEADLINES_S))
    return Options(lane=choose.choice(PRIORITIES), deadline=deadline, notify=choose.random() < 0.3)


@step
async def submit_again(history: History, choose: Random) -> None:
    known = _any(history, choose)
    if known is None or not known.durable or known.lane is Lane.WEBHOOKS:
        return
    over, full = history.forgotten(known), len(history.waiting()) >= QUEUE_LIMIT
    try:
        (accepted,) = await history.engine.submit([Submission(known.message)], durable=True)
    except QueueFull:
        assert over
        assert full
        return
    assert accepted.prediction_id == known.message.prediction_id
    if over:
        assert accepted.status is Status.QUEUED
        history.accept(known.message, durable=True)
        history.reach(history.known[accepted.prediction_id], history.now)
    else:
        assert accepted.status is known.status


@step
async def keep(history: History, choose: Random) -> None:
    known = _any(history, choose)
    if known is None or known.lane is Lane.WEBHOOKS:
        return
    over = history.forgotten(known)
    try:
        kept = await history.engine.keep(known.message)
    except QueueFull:
        assert known.outcome is not None
        return
    assert kept.durable
    if kept.status.terminal or known.outcome is None:
        assert not over
        assert (kept.status, kept.outcome) == (known.status, known.outcome)
        if not known.durable:
            known.durable, known.row = True, history.next_place()
    else:
        assert over or not known.durable
        history.accept(known.message, durable=True)
        history.reach(history.known[kept.prediction_id], history.now)


def _any(history: History, choose: Random) -> Known | None:
    return choose.choice(list(history.known.values())) if history.known else None


@step
async def receive(history: History, choose: Random) -> None:
    await receive_some(history, choose.choice(_LANES), choose.choice((1, 2, 5)))


async def receive_some(history: History, lanes: tuple[Lane, ...], limit: int) -> list[Delivery]:
    """Receive, and expect what is next in these lanes."""
    await depth(history.engine)
    deliveries = await history.engine.receive(MODEL, limit, 0, lanes)
    for delivery in deliveries:
        if delivery.message.prediction_id not in history.known:
            _meet_notice(history, delivery)
    if Lane.WEBHOOKS not in lanes:
        ready = [each for each in history.waiting() if each.due_at is None and each.lane in lanes]
        ready = [] if history.paused else sorted(ready, key=lambda each: (lanes.index(each.lane), each.place))
        expected = [each.message.prediction_id for each in ready[:limit]]
        assert [each.message.prediction_id for each in deliveries] == expected[: len(deliveries) or 1]
    for delivery in deliveries:
        known = history.known[delivery.message.prediction_id]
        assert known.queued
        assert known.due_at is None
        assert delivery.attempt == known.attempt + 1
        known.delivery, known.due_at = delivery, history.now + timedelta(seconds=LEASE_S)
        history.deliveries.append(delivery)
    return deliveries


def _meet_notice(history: History, notice: Delivery) -> None:
    about = json.loads(notice.message.input)
    assert history.unseen_notices[about] > 0
    assert notice.message.options.lane is Lane.WEBHOOKS
    history.unseen_notices[about] -= 1
    history.accept(notice.message, durable=True)


def _any_delivery(history: History, choose: Random) -> Delivery | None:
    """Usually one that still holds its prediction."""
    held = [each.delivery for each in history.known.values() if each.delivery is not None]
    return choose.choice((held if choose.random() < 0.8 else history.deliveries) or [None])


@step
async def begin(history: History, choose: Random) -> None:
    delivery = _any_delivery(history, choose)
    if delivery is not None:
        await history.engine.begin([delivery])
        known = history.leased(delivery)
        if known is not None:
            known.attempt = delivery.attempt


@step
async def extend(history: History, choose: Random) -> None:
    delivery = _any_delivery(history, choose)
    if delivery is not None:
        await history.engine.extend([delivery])
        known = history.leased(delivery)
        if known is not None:
            known.due_at = history.now + timedelta(seconds=LEASE_S)


@step
async def publish(history: History, choose: Random) -> None:
    delivery = _any_delivery(history, choose)
    if delivery is not None:
        events = [Event(EventKind.PROGRESS, b"%d" % choose.randrange(100)) for _ in range(choose.randrange(4))]
        known = history.leased(delivery)
        assert await history.engine.publish(delivery, events) == (known is not None)
        if known is not None:
            known.events += [(delivery.attempt, each.content) for each in events]


@step
async def settle(history: History, choose: Random) -> None:
    delivery, outcome = _any_delivery(history, choose), choose.choice(_OUTCOMES)
    if delivery is not None:
        known = history.leased(delivery)
        assert await settle_one(history.engine, delivery, outcome) == (known is not None)
        if known is not None:
            known.attempt = delivery.attempt
            history.end(known, outcome, history.now)


@step
async def release(history: History, choose: Random) -> None:
    delivery, counted, delay_s = _any_delivery(history, choose), choose.random() < 0.5, choose.choice(_DELAYS_S)
    if delivery is not None:
        known = history.leased(delivery)
        assert await history.engine.release(delivery, counted=counted, delay_s=delay_s) == (known is not None)
        if known is not None:
            known.attempt = delivery.attempt if counted else delivery.attempt - 1
            history.give_back(known, history.now, history.now + timedelta(seconds=delay_s) if delay_s else None)


@step
async def cancel(history: History, choose: Random) -> None:
    known = _any(history, choose)
    if known is None:
        return
    told = await history.engine.cancel(known.message.prediction_id)
    if known.outcome is not None and (not known.durable or history.forgotten(known)):
        ended = Cancellation.ENDED if known.status is Status.CANCELLED else Cancellation.TOO_LATE
        assert told is Cancellation.UNKNOWN or (told is ended and not known.durable)
    elif known.outcome is not None:
        assert told is (Cancellation.ENDED if known.status is Status.CANCELLED else Cancellation.TOO_LATE)
    elif known.delivery is None:
        assert told is Cancellation.ENDED
        history.end(known, Outcome(Status.CANCELLED), history.now)
    else:
        assert told is Cancellation.ASKED
        if not known.stop_asked:
            history.stops.add(Stop(known.delivery, StopReason.CANCELLED))
        known.stop_asked = True


@step
async def pass_time(history: History, choose: Random) -> None:
    history.let_time_pass(choose.choice(_SPANS_S))


@step
async def pass_retention(history: History, choose: Random) -> None:
    if choose.random() < 0.3:
        history.let_time_pass(60)
        await history.check()  # a Redis notes an end once somebody looks
        history.let_time_pass(RETENTION_S)


@step
async def pause(history: History, choose: Random) -> None:
    history.paused = choose.random() < 0.4
    await history.engine.pause(MODEL, paused=history.paused)


@step
async def replay(history: History, choose: Random) -> None:
    dead = history.dead()
    known = history.known[choose.choice(dead)] if dead else _any(history, choose)
    if known is None:
        return
    try:
        replayed = await history.engine.replay(known.message.prediction_id)
    except QueueFull:
        assert dead
        assert len(history.waiting()) >= QUEUE_LIMIT
        return
    assert replayed == bool(dead)
    if replayed:
        known.outcome = known.ended_at = known.deadline = None
        known.attempt, known.stop_asked, known.place = 0, False, history.next_place()


@step
async def purge(history: History, choose: Random) -> None:
    dead = history.dead()
    known = history.known[choose.choice(dead)] if dead else _any(history, choose)
    if known is not None:
        assert await history.engine.purge(known.message.prediction_id) == bool(dead)
        if dead:
            del history.known[known.message.prediction_id]
            history.deliveries = [each for each in history.deliveries if each.message != known.message]


@step
async def reopen(history: History, choose: Random) -> None:
    """End the engine and begin with what it left behind, where that is anything."""
    if not history.reopens or choose.random() < 0.5:
        return
    await history.engine.close()
    await history.open()
    history.known = {name: each for name, each in history.known.items() if each.durable}
    history.deliveries = [each for each in history.deliveries if each.message.prediction_id in history.known]
    for known in history.known.values():
        known.place = known.row
        if known.outcome is None:
            history.give_back(known, history.now)


async def finish(history: History) -> None:
    """Let everything run to its end: nothing that was accepted is lost, and each end has its notice."""
    await history.engine.pause(MODEL, paused=False)
    history.paused = False
    while any(each.outcome is None for each in history.known.values()) or history.unseen_notices.total():
        history.let_time_pass(LEASE_S)
        await history.check()
        for lanes in (PRIORITIES, (Lane.WEBHOOKS,)):
            for delivery in await receive_some(history, lanes, 100):
                assert await settle_one(history.engine, delivery, SUCCEEDED)
                known = history.known[delivery.message.prediction_id]
                known.attempt = delivery.attempt
                history.end(known, SUCCEEDED, history.now)
    await history.check()
    assert await history.engine.receive(MODEL, 1, 0, (Lane.WEBHOOKS,)) == []
