import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.redis_streams.local_client import LocalClient
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.awaited_events import AwaitedEvents
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.finder import Finder
from zypher.engines.redis_streams.held_deliveries import HeldDeliveries
from zypher.engines.redis_streams.keys import ModelKeys
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.notifications import Notifications
from zypher.engines.redis_streams.ready_lanes import ReadyLanes
from zypher.engines.redis_streams.transitions.events import Events
from zypher.engines.redis_streams.transitions.submissions import Submissions
from zypher.prediction import Delivery, Lane, Message, StopReason

MODEL = "model"
KEYS = ModelKeys.of("zypher", MODEL)
ENDS = "zypher:ends:1"
EVENTS = "zypher:events:1"
OWN = [KEYS.ready_channel, KEYS.stops_channel]
DELIVERY = Delivery(Message("id", MODEL, b"1", datetime(2026, 1, 1, tzinfo=UTC)), 1, "receipt")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ends(clock: FakeClock) -> AwaitedEnds:
    return AwaitedEnds(clock)


@pytest.fixture
def events(clock: FakeClock) -> AwaitedEvents:
    models = KnownModels(pipeline := Pipeline("", "zypher", clock), "zypher")
    limits = Limits(queue_limit=1, retention_s=1, lease_s=1)
    finder = Finder(models, Submissions(pipeline, models, limits, "zypher", "1"))
    return AwaitedEvents(finder, Events(pipeline, models, "zypher", "1"), clock)


@pytest.fixture
def held(clock: FakeClock) -> HeldDeliveries:
    return HeldDeliveries(clock)


@pytest.fixture
def ready(clock: FakeClock) -> ReadyLanes:
    return ReadyLanes(clock)


@pytest.fixture
async def notifications(
    ends: AwaitedEnds,
    events: AwaitedEvents,
    ready: ReadyLanes,
    held: HeldDeliveries,
    clock: FakeClock,
    client: LocalClient,
) -> AsyncIterator[Notifications]:
    notifications = Notifications(ends, events, ready, held, clock)
    await notifications.start(lambda: client, "zypher", "1")
    yield notifications
    await notifications.stop()
    await notifications.stop()
    assert client.closed == len(client.subscribers)
    assert all(subscriber.closed for subscriber in client.subscribers)


async def test_a_published_end_wakes_its_waiter(
    notifications: Notifications, ends: AwaitedEnds, client: LocalClient
) -> None:
    with ends.waiting("id") as waiter:
        client.subscribers[0].publish(ENDS, b"id\0result")
        async with asyncio.timeout(10):
            await waiter.wait(float("inf"))
        assert waiter.value == b"result"


async def test_a_message_of_a_model_wakes_its_receivers(
    notifications: Notifications, ready: ReadyLanes, client: LocalClient
) -> None:
    await notifications.add(MODEL, KEYS)
    await notifications.add(MODEL, KEYS)
    assert sorted(client.subscribers[0].channels) == sorted([ENDS, EVENTS, *OWN])
    client.subscribers[0].publish(KEYS.ready_channel, b"")
    await eventually(lambda: ready.wakes(MODEL, [Lane.LOW]) == 1)


async def test_a_lost_connection_is_made_again_after_a_pause(
    notifications: Notifications, ready: ReadyLanes, client: LocalClient, clock: FakeClock
) -> None:
    client.subscribers[0].messages.put_nowait(ConnectionError("lost"))
    await eventually(lambda: clock.pending)
    await notifications.add(MODEL, KEYS)
    clock.advance(1)
    await eventually(lambda: len(client.subscribers) == 2)
    assert sorted(client.subscribers[1].channels) == sorted([ENDS, EVENTS, *OWN])
    client.subscribers[1].publish(KEYS.ready_channel, b"")
    await eventually(lambda: ready.wakes(MODEL, [Lane.LOW]) == 1)


async def test_a_confirmation_of_a_subscription_is_no_message(
    notifications: Notifications, ready: ReadyLanes, client: LocalClient
) -> None:
    await notifications.add(MODEL, KEYS)
    client.subscribers[0].messages.put_nowait(None)
    client.subscribers[0].publish(KEYS.ready_channel, b"")
    await eventually(lambda: ready.wakes(MODEL, [Lane.LOW]))
    assert (ready.wakes(MODEL, [Lane.LOW]), len(client.subscribers)) == (1, 1)


async def test_a_message_of_a_lane_wakes_its_receivers_alone(
    notifications: Notifications, ready: ReadyLanes, client: LocalClient
) -> None:
    await notifications.add(MODEL, KEYS)
    client.subscribers[0].publish(KEYS.ready_channel, b"high")
    await eventually(lambda: ready.wakes(MODEL, [Lane.HIGH]))
    assert ready.wakes(MODEL, [Lane.LOW, Lane.WEBHOOKS]) == 0


async def test_a_published_stop_is_one_of_a_held_delivery(
    notifications: Notifications, held: HeldDeliveries, client: LocalClient
) -> None:
    await notifications.add(MODEL, KEYS)
    held.add([DELIVERY], set())
    for prediction_id in (b"other", b"id", b"id"):
        client.subscribers[0].publish(KEYS.stops_channel, prediction_id)
    (stop,) = await held.stops(10)
    assert (stop.delivery, stop.reason) == (DELIVERY, StopReason.CANCELLED)
    await eventually(client.subscribers[0].messages.empty)
    assert await held.stops(0) == []
