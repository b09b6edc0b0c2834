"""Every ending of a prediction with `notify` puts a notice in the lane `webhooks`."""

import json
from datetime import timedelta

import pytest

from tests.contract.conftest import LEASE_S, OpenEngine, reopens
from tests.contract.phrases import (
    FAILED,
    LOST,
    MODEL,
    SUCCEEDED,
    depth,
    get,
    message,
    receive_ids,
    receive_one,
    settle_one,
    status,
    submit_many,
    submit_one,
    turns,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine, Submission
from zypher.prediction import Cancellation, Delivery, Lane, Options, Outcome, Status

NOTIFY = Options(notify=True, revision="0123456789ab")
WEBHOOKS = (Lane.WEBHOOKS,)


async def submitted(engine: Engine, options: Options = NOTIFY) -> str:
    return (await submit_one(engine, message(options=options), durable=False)).prediction_id


async def notices(engine: Engine) -> list[Delivery]:
    return await engine.receive(MODEL, 100, 0, WEBHOOKS)


def about(delivery: Delivery) -> object:
    """The id of the prediction that ended."""
    return json.loads(delivery.message.input)


@pytest.mark.parametrize("outcome", [SUCCEEDED, FAILED, LOST, Outcome(Status.EXPIRED)])
async def test_a_settled_prediction_has_one_notice(engine: Engine, outcome: Outcome) -> None:
    prediction_id = await submitted(engine)
    assert (await get(engine, prediction_id)).durable
    assert await notices(engine) == []
    await settle_one(engine, await receive_one(engine), outcome)
    (notice,) = await notices(engine)
    assert about(notice) == prediction_id
    assert notice.message.options.lane is Lane.WEBHOOKS
    assert (await status(engine, prediction_id)).terminal


async def test_without_notify_there_is_no_notice(engine: Engine) -> None:
    await submit_many(engine, 1)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    assert await notices(engine) == []


async def test_a_cancelled_prediction_has_a_notice(engine: Engine) -> None:
    queued, running = await submitted(engine), await submitted(engine)
    assert await engine.cancel(queued) is Cancellation.ENDED
    delivery = await receive_one(engine)
    assert await engine.cancel(running) is Cancellation.ASKED
    await engine.release(delivery, counted=False)
    assert await status(engine, running) is Status.CANCELLED
    assert sorted(str(about(each)) for each in await notices(engine)) == sorted([queued, running])


async def test_an_expired_prediction_has_a_notice(engine: Engine, clock: FakeClock) -> None:
    prediction_id = await submitted(engine, Options(notify=True, deadline=clock.now() + timedelta(seconds=5)))
    clock.advance(6)
    await engine.get(prediction_id, None)
    assert [about(each) for each in await notices(engine)] == [prediction_id]


async def test_an_end_that_does_not_count_has_no_notice(engine: Engine, clock: FakeClock) -> None:
    await submitted(engine)
    lost = await receive_one(engine)
    clock.advance(LEASE_S)
    await turns()
    assert not await settle_one(engine, lost, SUCCEEDED)
    assert await notices(engine) == []


async def test_each_end_of_a_replayed_prediction_has_a_notice(engine: Engine) -> None:
    prediction_id = await submitted(engine)
    await settle_one(engine, await receive_one(engine), LOST)
    await engine.replay(prediction_id)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    first, second = await notices(engine)
    assert [about(first), about(second)] == [prediction_id] * 2
    assert first.message.prediction_id != second.message.prediction_id


async def test_a_notice_is_delivered_like_a_prediction(engine: Engine, clock: FakeClock) -> None:
    await submitted(engine)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    (notice,) = await notices(engine)
    assert notice.attempt == 1
    await engine.release(notice, counted=True, delay_s=5)
    assert await notices(engine) == []
    assert (await depth(engine)).delayed == 0
    clock.advance(5)
    (again,) = await notices(engine)
    assert (again.message, again.attempt) == (notice.message, 2)
    clock.advance(LEASE_S)
    await depth(engine)
    (third,) = await notices(engine)
    assert not await settle_one(engine, again, SUCCEEDED)
    assert await settle_one(engine, third, Outcome(Status.SUCCEEDED, b"null"))
    assert await notices(engine) == []


async def test_notices_are_no_predictions_of_the_model(engine: Engine) -> None:
    prediction_id = await submitted(engine)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    seen = await depth(engine)
    assert (seen.queued, seen.running, seen.oldest_queued_at) == (0, 0, None)
    assert await receive_ids(engine) == []
    assert [each.prediction_id for each in (await engine.page(MODEL)).predictions] == [prediction_id]


async def test_a_full_queue_holds_up_no_notice(open_engine: OpenEngine) -> None:
    engine = await open_engine(queue_limit=2)
    first = await submitted(engine)
    await engine.submit([Submission(message())], durable=True)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    await submit_many(engine, 1)
    assert [about(each) for each in await notices(engine)] == [first]


async def test_a_pause_holds_up_no_notice(engine: Engine) -> None:
    first = await submitted(engine)
    delivery = await receive_one(engine)
    await engine.pause(MODEL, paused=True)
    await settle_one(engine, delivery, SUCCEEDED)
    assert [about(each) for each in await notices(engine)] == [first]


@reopens
async def test_a_notice_outlasts_the_engine(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    prediction_id = await submitted(engine)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    await engine.close()
    engine = await open_engine()
    (notice,) = await notices(engine)
    assert about(notice) == prediction_id
    await settle_one(engine, notice, SUCCEEDED)
    await engine.close()
    assert await notices(await open_engine()) == []
