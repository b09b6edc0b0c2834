"""What is said of a prediction while it lives."""

import asyncio

import pytest

from tests.contract.conftest import LEASE_S, RETENTION_S, OpenEngine, both_kinds, reopens
from tests.contract.phrases import (
    LOST,
    SUCCEEDED,
    depth,
    message,
    receive_one,
    settle_one,
    submit_many,
    submit_one,
    turns,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import EVENT_BYTES, MOST_EVENT_BYTES, Engine
from zypher.prediction import Delivery, Event, EventKind, Prediction

CONTENT = '{"fraction": 0.5, "message": "schön \0"}'.encode()


def progress(number: int) -> Event:
    return Event(EventKind.PROGRESS, b"%d" % number)


def published(*events: Event, attempt: int = 1, after: int = 0) -> list[Event]:
    """These events as they are read."""
    return [Event(each.kind, each.content, attempt, number) for number, each in enumerate(events, after + 1)]


async def running(engine: Engine, *, durable: bool = True) -> Delivery:
    await submit_many(engine, 1, durable=durable)
    return await receive_one(engine)


@both_kinds
async def test_events_are_numbered_in_their_order(engine: Engine, durable: bool) -> None:
    delivery = await running(engine, durable=durable)
    prediction_id = delivery.message.prediction_id
    events = [Event(EventKind.RUNNING, b"{}"), Event(EventKind.PROGRESS, CONTENT), Event(EventKind.OUTPUT, b'"a"')]
    assert await engine.events(prediction_id) == []
    assert await engine.publish(delivery, events[:1])
    assert await engine.publish(delivery, events[1:])
    assert await engine.events(prediction_id) == published(*events)
    assert await engine.events(prediction_id, after=2) == published(*events)[2:]
    assert await engine.events(prediction_id, after=99) == []


async def test_an_unknown_prediction_has_no_events(engine: Engine) -> None:
    assert await engine.events("unknown", wait_s=60) is None


@both_kinds
async def test_who_waits_is_woken_by_an_event(engine: Engine, clock: FakeClock, durable: bool) -> None:
    delivery = await running(engine, durable=durable)
    waiting = [asyncio.create_task(engine.events(delivery.message.prediction_id, wait_s=60)) for _ in range(2)]
    await turns()
    assert not any(each.done() for each in waiting)
    await engine.publish(delivery, [progress(1)])
    assert await asyncio.gather(*waiting) == [published(progress(1))] * 2
    late = asyncio.create_task(engine.events(delivery.message.prediction_id, 1, wait_s=5))
    await turns()
    clock.advance(5)
    assert await late == []


@both_kinds
async def test_who_waits_is_woken_by_the_end(engine: Engine, durable: bool) -> None:
    delivery = await running(engine, durable=durable)
    prediction_id = delivery.message.prediction_id
    waiting = asyncio.create_task(engine.events(prediction_id, wait_s=3600))
    await turns()
    await settle_one(engine, delivery, SUCCEEDED)
    assert await waiting == []
    assert await engine.events(prediction_id, wait_s=60) == []


@both_kinds
async def test_events_are_read_after_the_end(engine: Engine, clock: FakeClock, durable: bool) -> None:
    delivery = await running(engine, durable=durable)
    await engine.publish(delivery, [progress(1), progress(2)])
    await settle_one(engine, delivery, SUCCEEDED)
    assert await engine.events(delivery.message.prediction_id, 1, wait_s=60) == published(progress(1), progress(2))[1:]
    if durable:
        clock.advance(RETENTION_S)
        await turns()
        assert await engine.events(delivery.message.prediction_id) is None


@both_kinds
async def test_numbers_go_on_over_attempts(engine: Engine, durable: bool) -> None:
    first = await running(engine, durable=durable)
    await engine.publish(first, [progress(1)])
    await engine.release(first, counted=False)
    again = await receive_one(engine)
    await engine.publish(again, [progress(2)])
    await engine.release(again, counted=True)
    second = await receive_one(engine)
    await engine.publish(second, [progress(3)])
    expected = [*published(progress(1), progress(2)), *published(progress(3), attempt=2, after=2)]
    assert await engine.events(first.message.prediction_id) == expected


async def test_numbers_go_on_over_replays(engine: Engine) -> None:
    delivery = await running(engine)
    prediction_id = delivery.message.prediction_id
    await engine.publish(delivery, [progress(1)])
    await settle_one(engine, delivery, LOST)
    await engine.replay(prediction_id)
    await engine.publish(await receive_one(engine), [progress(2)])
    assert [each.number for each in await engine.events(prediction_id) or []] == [1, 2]


@both_kinds
async def test_a_lost_delivery_publishes_nothing(engine: Engine, clock: FakeClock, durable: bool) -> None:
    delivery = await running(engine, durable=durable)
    clock.advance(LEASE_S)
    await depth(engine)
    assert not await engine.publish(delivery, [progress(1)])
    again = await receive_one(engine)
    assert not await engine.publish(delivery, [progress(1)])
    assert await engine.publish(again, [progress(2)])
    await settle_one(engine, again, SUCCEEDED)
    assert not await engine.publish(again, [progress(3)])
    assert await engine.events(delivery.message.prediction_id) == published(progress(2))


@both_kinds
async def test_the_oldest_of_too_many_are_forgotten(engine: Engine, durable: bool) -> None:
    delivery = await running(engine, durable=durable)
    fit = MOST_EVENT_BYTES // (1000 + EVENT_BYTES)
    large = Event(EventKind.OUTPUT, b'"%s"' % (b"x" * 998))
    for _ in range(3):
        await engine.publish(delivery, [large] * fit)
    events = await engine.events(delivery.message.prediction_id)
    assert events is not None
    assert [each.number for each in events] == list(range(2 * fit + 1, 3 * fit + 1))
    await engine.publish(delivery, [Event(EventKind.OUTPUT, b'"%s"' % (b"x" * MOST_EVENT_BYTES))])
    newest = await engine.events(delivery.message.prediction_id)
    assert [each.number for each in newest or []] == [3 * fit + 1]


@reopens
async def test_events_outlast_the_engine(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    delivery = await running(engine)
    prediction_id = delivery.message.prediction_id
    await engine.publish(delivery, [progress(1), progress(2)])
    await engine.release(delivery, counted=True)
    await engine.close()
    engine = await open_engine()
    assert await engine.events(prediction_id) == published(progress(1), progress(2))
    await engine.publish(await receive_one(engine), [progress(3)])
    assert [(each.number, each.attempt) for each in await engine.events(prediction_id, 1) or []] == [(2, 1), (3, 2)]


@reopens
@pytest.mark.parametrize("moment", ["running", "ended"])
async def test_events_are_kept_with_their_prediction(open_engine: OpenEngine, moment: str) -> None:
    sent, engine = message(), await open_engine()
    await submit_one(engine, sent, durable=False)
    delivery = await receive_one(engine)
    await engine.publish(delivery, [progress(1)])
    if moment == "ended":
        await settle_one(engine, delivery, SUCCEEDED)
    await engine.keep(sent)
    if moment == "running":
        assert await engine.publish(delivery, [progress(2)])
    expected = published(progress(1), progress(2))[: 2 if moment == "running" else 1]
    assert await engine.events(sent.prediction_id) == expected
    await engine.close()
    assert await (await open_engine()).events(sent.prediction_id) == expected


async def test_racing_publishers_share_the_numbers(engine: Engine) -> None:
    delivery = await running(engine)
    await asyncio.gather(*(engine.publish(delivery, [progress(each)]) for each in range(50)))
    events = await engine.events(delivery.message.prediction_id)
    assert [each.number for each in events or []] == list(range(1, 51))


async def test_a_prediction_without_events_has_none(engine: Engine) -> None:
    (first, second) = await submit_many(engine, 2)
    await engine.publish(await receive_one(engine), [progress(1)])
    assert await engine.events(second) == []
    assert await engine.events(first) == published(progress(1))
    assert isinstance(await engine.get(first), Prediction)


@both_kinds
@pytest.mark.parametrize("after", [-1, -(2**70), 2**63, 2**70])
async def test_a_number_that_no_event_has_is_no_damage(
    engine: Engine, durable: bool, after: int, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = await running(engine, durable=durable)
    await engine.publish(delivery, [progress(1)])
    expected = published(progress(1)) if after < 0 else []
    assert await engine.events(delivery.message.prediction_id, after=after) == expected
    assert caplog.records == []
