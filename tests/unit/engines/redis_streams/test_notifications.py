import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.redis_streams.local_client import LocalClient
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.keys import ModelKeys
from zypher.engines.redis_streams.notifications import Notifications
from zypher.engines.redis_streams.ready_models import ReadyModels

MODEL = "model"
KEYS = ModelKeys.of("zypher", MODEL)
ENDS = "zypher:told:1"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ends(clock: FakeClock) -> AwaitedEnds:
    return AwaitedEnds(clock)


@pytest.fixture
def ready(clock: FakeClock) -> ReadyModels:
    return ReadyModels(clock)


@pytest.fixture
async def notifications(
    ends: AwaitedEnds, ready: ReadyModels, clock: FakeClock, client: LocalClient
) -> AsyncIterator[Notifications]:
    notifications = Notifications(ends, ready, clock)
    await notifications.start(lambda: client, ENDS)
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
    notifications: Notifications, ready: ReadyModels, client: LocalClient
) -> None:
    await notifications.add(MODEL, KEYS)
    await notifications.add(MODEL, KEYS)
    assert client.subscribers[0].channels == [ENDS, KEYS.ready_channel]
    client.subscribers[0].publish(KEYS.ready_channel, b"")
    await eventually(lambda: ready.wakes(MODEL) == 1)


async def test_a_lost_connection_is_made_again_after_a_pause(
    notifications: Notifications, ready: ReadyModels, client: LocalClient, clock: FakeClock
) -> None:
    client.subscribers[0].messages.put_nowait(ConnectionError("lost"))
    await eventually(lambda: clock.pending)
    await notifications.add(MODEL, KEYS)
    clock.advance(1)
    await eventually(lambda: len(client.subscribers) == 2)
    assert sorted(client.subscribers[1].channels) == sorted([ENDS, KEYS.ready_channel])
    client.subscribers[1].publish(KEYS.ready_channel, b"")
    await eventually(lambda: ready.wakes(MODEL) == 1)


async def test_a_confirmation_of_a_subscription_is_no_message(
    notifications: Notifications, ready: ReadyModels, client: LocalClient
) -> None:
    await notifications.add(MODEL, KEYS)
    client.subscribers[0].messages.put_nowait(None)
    client.subscribers[0].publish(KEYS.ready_channel, b"")
    await eventually(lambda: ready.wakes(MODEL))
    assert (ready.wakes(MODEL), len(client.subscribers)) == (1, 1)
