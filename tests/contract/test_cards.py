"""A model's card outlasts its workers, and several revisions of it may live."""

import asyncio

import pytest
from msgspec.structs import replace

from tests.contract.conftest import LEASE_S, OpenEngine, reopens
from tests.contract.phrases import (
    LOST,
    MODEL,
    SUCCEEDED,
    depth,
    message,
    models,
    receive_one,
    settle_one,
    submit_many,
    submit_one,
)
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.errors import EngineUnavailable, ModelInUse
from zypher.model_card import ModelCard
from zypher.prediction import Options, Status
from zypher.queue_state import WorkerState


def card(kind: str = "string", model: str = MODEL) -> ModelCard:
    return ModelCard(model, "", {"type": kind}, {}, {}, 1)


def worker(worker_id: str, announced: ModelCard | None, *, draining: bool = False) -> WorkerState:
    return WorkerState(worker_id, MODEL, announced, 1, 1, 1, draining=draining)


def gone(presence: WorkerState) -> WorkerState:
    return replace(presence, replicas=0, ready_replicas=0, slots=0, draining=True)


async def test_a_model_has_no_card_before_it_is_announced(engine: Engine) -> None:
    await submit_many(engine, 1)
    await engine.announce(worker("w", None))
    assert (await depth(engine)).card is None


async def test_a_card_outlasts_the_worker_that_announced_it(engine: Engine, clock: FakeClock) -> None:
    await engine.announce(worker("stops", card()))
    await engine.announce(gone(worker("stops", card())))
    assert (await depth(engine)).card == card()
    await engine.announce(worker("dies", card()))
    clock.advance(LEASE_S)
    assert (await depth(engine)).workers == ()
    assert (await depth(engine)).card == card()
    assert await models(engine) == [MODEL]


@reopens
async def test_a_card_outlasts_the_engine(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    await engine.announce(worker("w", replace(card(), acceptance_schema={"type": "number"}, defined_as="Model")))
    await engine.close()
    engine = await open_engine()
    kept = (await depth(engine)).card
    assert kept == replace(card(), acceptance_schema={"type": "number"}, defined_as="Model")


async def test_workers_of_several_revisions_live_together(engine: Engine) -> None:
    old, new = worker("old", card("string")), worker("new", card("number"))
    await engine.announce(old)
    await engine.announce(new)
    seen = await depth(engine)
    assert {each.worker_id: each.card for each in seen.workers} == {"old": old.card, "new": new.card}


async def test_the_card_that_came_last_is_kept(engine: Engine) -> None:
    old, new = worker("old", card("string")), worker("new", card("number"))
    await engine.announce(old)
    await engine.announce(new)
    await engine.announce(old)
    await engine.announce(gone(old))
    assert (await depth(engine)).card == new.card
    await engine.announce(worker("rolled back", card("string")))
    assert (await depth(engine)).card == old.card


async def test_a_new_card_of_the_same_worker_is_kept(engine: Engine) -> None:
    await engine.announce(worker("w", card("string")))
    await engine.announce(worker("w", card("number")))
    assert (await depth(engine)).card == card("number")


@reopens
async def test_the_revision_of_a_message_outlasts_the_engine(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    for revision in ("", "0123456789ab"):
        await submit_one(engine, message(options=Options(revision=revision)), durable=True)
    await engine.close()
    engine = await open_engine()
    assert [(await receive_one(engine)).message.options.revision for _ in range(2)] == ["", "0123456789ab"]


@pytest.mark.parametrize("durable", [True, False])
async def test_a_delivery_has_the_revision(engine: Engine, durable: bool) -> None:
    sent = message(options=Options(revision="0123456789ab"))
    await submit_one(engine, sent, durable=durable)
    assert (await receive_one(engine)).message == sent


async def test_a_replayed_dead_letter_keeps_its_revision(engine: Engine) -> None:
    sent = message(options=Options(revision="0123456789ab"))
    await submit_one(engine, sent, durable=True)
    await settle_one(engine, await receive_one(engine), LOST)
    assert await engine.replay(sent.prediction_id)
    assert (await receive_one(engine)).message == sent


async def test_what_was_not_tried_counts_as_never_handed_out(engine: Engine, clock: FakeClock) -> None:
    await submit_many(engine, 1)
    for _ in range(3):
        assert await engine.release(await receive_one(engine), counted=False, delay_s=1)
        assert await engine.receive(MODEL, 1, 0) == []
        clock.advance(1)
    delivery = await receive_one(engine)
    assert (delivery.attempt, delivery.unbegun) == (1, 1)


async def test_a_forgotten_model_is_known_no_more(engine: Engine) -> None:
    await engine.announce(worker("w", card()))
    await engine.announce(gone(worker("w", card())))
    assert await engine.forget(MODEL)
    assert not await engine.forget(MODEL)
    assert (await depth(engine)).card is None
    assert await models(engine) == []
    await engine.announce(worker("w", card()))
    assert (await depth(engine)).card == card()


@reopens
async def test_a_forgotten_model_stays_forgotten(open_engine: OpenEngine) -> None:
    engine = await open_engine()
    await engine.announce(worker("w", card()))
    await engine.announce(gone(worker("w", card())))
    assert await engine.forget(MODEL)
    await engine.close()
    assert (await depth(await open_engine())).card is None


async def test_a_model_in_use_is_not_forgotten(engine: Engine, clock: FakeClock) -> None:
    await engine.announce(worker("w", card(), draining=True))
    with pytest.raises(ModelInUse, match="served by 1 worker;"):
        await engine.forget(MODEL)
    clock.advance(LEASE_S)
    await submit_many(engine, 2)
    delivery = await receive_one(engine)
    with pytest.raises(ModelInUse, match="has 1 prediction left"):
        await engine.forget(MODEL)
    await settle_one(engine, delivery, SUCCEEDED)
    assert (await depth(engine)).card == card()
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    assert await engine.forget(MODEL)


async def test_forgetting_a_model_cancels_what_waits_for_it(engine: Engine) -> None:
    await engine.announce(worker("w", card()))
    await engine.announce(gone(worker("w", card())))
    waiting = await submit_many(engine, 230)
    await engine.release(await receive_one(engine), counted=False, delay_s=60)
    assert await engine.forget(MODEL)
    assert (await depth(engine)).queued == 0
    ended = [await engine.get(each) for each in waiting]
    assert {each.status for each in ended if each} == {Status.CANCELLED}
    assert len(ended) == 230


async def test_the_results_of_a_forgotten_model_stay(engine: Engine) -> None:
    await engine.announce(worker("w", card()))
    (prediction_id,) = await submit_many(engine, 1)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    await engine.announce(gone(worker("w", card())))
    assert await engine.forget(MODEL)
    assert await engine.get(prediction_id) is not None


async def test_concurrent_forgets_forget_once(engine: Engine) -> None:
    await engine.announce(worker("w", card()))
    await engine.announce(gone(worker("w", card())))
    assert sorted(await asyncio.gather(engine.forget(MODEL), engine.forget(MODEL))) == [False, True]


async def test_a_closed_engine_forgets_nothing(engine: Engine) -> None:
    await engine.close()
    with pytest.raises(EngineUnavailable):
        await engine.forget(MODEL)
