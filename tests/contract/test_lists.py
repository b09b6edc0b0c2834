"""Lists of predictions, page by page."""

import asyncio
from datetime import timedelta

import pytest

from tests.contract.conftest import RETENTION_S, OpenEngine, reopens
from tests.contract.phrases import (
    FAILED,
    LOST,
    MODEL,
    SUCCEEDED,
    get,
    message,
    receive_one,
    settle_one,
    submit_many,
    submit_one,
    turns,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.prediction import Lane, Options, Outcome, Prediction, Status


async def listed(
    engine: Engine, *, model: str = MODEL, status: Status | None = None, limit: int = 100
) -> list[Prediction]:
    """All that are listed, whatever the pages."""
    page = await engine.page(model, status=status, limit=limit)
    found = page.predictions
    while page.after is not None:
        page = await engine.page(model, status=status, limit=limit, after=page.after)
        found += page.predictions
    return found


async def ids_of(engine: Engine, status: Status | None = None, limit: int = 100) -> list[str]:
    return [each.prediction_id for each in await listed(engine, status=status, limit=limit)]


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_the_last_accepted_is_the_first(engine: Engine, limit: int) -> None:
    ids = await submit_many(engine, 7)
    page = await engine.page(MODEL, limit=limit)
    assert [each.prediction_id for each in page.predictions] == ids[::-1][:limit]
    assert await ids_of(engine, limit=limit) == ids[::-1]


async def test_nothing_is_listed_of_an_unknown_model(engine: Engine) -> None:
    await submit_many(engine, 1)
    page = await engine.page("unknown")
    assert (page.predictions, page.after) == ([], None)


async def test_predictions_are_listed_as_they_stand_without_outputs(engine: Engine) -> None:
    queued = message(options=Options(lane=Lane.LOW, revision="0123456789ab"))
    await submit_one(engine, queued, durable=True)
    ids = await submit_many(engine, 4)
    for outcome in (SUCCEEDED, FAILED, LOST):
        await settle_one(engine, await receive_one(engine), outcome)
    await engine.begin([await receive_one(engine)])
    expected = [await get(engine, each) for each in (*ids[::-1], queued.prediction_id)]
    found = await listed(engine)
    assert [(each.prediction_id, each.status, each.attempt, each.options) for each in found] == [
        (each.prediction_id, each.status, each.attempt, each.options) for each in expected
    ]
    assert [each.outcome for each in found] == [None, LOST, FAILED, Outcome(Status.SUCCEEDED, run_s=0.25), None]
    assert [each.finished_at for each in found] == [each.finished_at for each in expected]


async def test_a_status_is_listed_alone(engine: Engine) -> None:
    ids = await submit_many(engine, 5)
    for outcome in (SUCCEEDED, FAILED):
        await settle_one(engine, await receive_one(engine), outcome)
    await receive_one(engine)
    await engine.cancel(ids[3])
    by_status = {
        Status.SUCCEEDED: ids[0],
        Status.FAILED: ids[1],
        Status.RUNNING: ids[2],
        Status.CANCELLED: ids[3],
        Status.QUEUED: ids[4],
    }
    assert {status: await ids_of(engine, status) for status in by_status} == {
        status: [prediction_id] for status, prediction_id in by_status.items()
    }
    assert await ids_of(engine, Status.EXPIRED) == []


async def test_models_are_listed_apart(engine: Engine) -> None:
    (mine,) = await submit_many(engine, 1)
    other = await submit_one(engine, message(model="other"), durable=True)
    assert await ids_of(engine) == [mine]
    assert [each.prediction_id for each in await listed(engine, model="other")] == [other.prediction_id]


async def test_only_durable_predictions_are_listed(engine: Engine) -> None:
    passing, kept = message(), message()
    for one in (passing, kept):
        await submit_one(engine, one, durable=False)
    await engine.keep(kept)
    assert await ids_of(engine) == [kept.prediction_id]


async def test_what_is_past_its_retention_is_not_listed(engine: Engine, clock: FakeClock) -> None:
    ids = await submit_many(engine, 2)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    clock.advance(RETENTION_S)
    await turns()
    assert await ids_of(engine) == ids[1:]
    await settle_one(engine, await receive_one(engine), LOST)
    await engine.purge(ids[1])
    assert await ids_of(engine) == []


async def test_what_expired_is_listed_as_expired(engine: Engine, clock: FakeClock) -> None:
    late = message(options=Options(deadline=clock.now() + timedelta(seconds=1)))
    await submit_one(engine, late, durable=True)
    clock.advance(2)
    await engine.get(late.prediction_id, None)
    assert await ids_of(engine, Status.EXPIRED) == [late.prediction_id]


@reopens
async def test_lists_outlast_the_engine(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    ids = await submit_many(engine, 3)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    await engine.close()
    engine = await open_engine()
    assert await ids_of(engine) == ids[::-1]
    assert await ids_of(engine, Status.QUEUED) == [ids[2], ids[1]]
    assert await ids_of(engine, Status.SUCCEEDED) == [ids[0]]


async def test_none_is_listed_twice_while_others_come_and_end(engine: Engine) -> None:
    ids = await submit_many(engine, 30)
    page = await engine.page(MODEL, limit=10)
    seen = [each.prediction_id for each in page.predictions]
    while page.after is not None:
        await submit_many(engine, 5)
        await asyncio.gather(*(settle_one(engine, each, SUCCEEDED) for each in await engine.receive(MODEL, 5, 0)))
        page = await engine.page(MODEL, limit=10, after=page.after)
        seen += [each.prediction_id for each in page.predictions]
    assert seen == ids[::-1]


async def test_a_wrong_place_lists_nothing_or_from_the_start(engine: Engine) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    for wrong in ("x", "-1", "0", "9" * 40, "9" * 5000, "schön", "²"):
        page = await engine.page(MODEL, after=wrong)
        assert [each.prediction_id for each in page.predictions] in ([], [prediction_id])


@pytest.mark.parametrize("limit", [0, -1, -5])
async def test_a_page_of_no_predictions_has_one_at_most(engine: Engine, limit: int) -> None:
    await submit_many(engine, 3)
    assert len((await engine.page(MODEL, limit=limit)).predictions) <= 1
