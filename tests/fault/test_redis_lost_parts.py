"""One key, entry or member that Redis lost or that cannot be read costs its own prediction and no other."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from tests.contract.phrases import (
    LOST,
    MODEL,
    OTHER,
    SUCCEEDED,
    depth,
    get,
    message,
    receive_one,
    settle_one,
    submit_many,
    submit_one,
)
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine, Submission
from zypher.errors import EngineUnavailable
from zypher.model_card import ModelCard
from zypher.prediction import Delivery, Event, EventKind, FailureKind, Lane, Options, Prediction, Status
from zypher.queue_state import WorkerState
from zypher.settings import EngineSettings

BASE = f"{{zypher:{MODEL}}}"
STREAM = f"{BASE}:stream"
LEASE_S = 1.0
ENDS_S = 8.0

Words = tuple[str, ...]


@pytest.fixture
async def engine(redis: RedisClient, server: RedisServer) -> AsyncIterator[Engine]:
    engine = connect(EngineSettings(engine=server.url, lease_s=LEASE_S), SystemClock())
    await engine.open()
    yield engine
    await engine.close()


def record(prediction_id: str) -> str:
    return f"{BASE}:p:{prediction_id}"


def failure(prediction: Prediction | None) -> FailureKind | None:
    assert prediction is not None
    assert prediction.outcome is not None
    return None if prediction.outcome.failure is None else prediction.outcome.failure.kind


async def ended(engine: Engine, prediction_id: str) -> Prediction:
    """The prediction once it ended, also where a moment passes until what was lost is found."""
    async with asyncio.timeout(ENDS_S):
        while True:
            prediction = await engine.get(prediction_id, 0.2)
            if prediction is not None and prediction.status.terminal:
                return prediction
            await asyncio.sleep(0.05)


async def run_all(engine: Engine, ids: list[str]) -> None:
    """Receive and settle until each of these has ended."""
    async with asyncio.timeout(ENDS_S):
        while True:
            for delivery in await engine.receive(MODEL, 10, 0.1):
                await settle_one(engine, delivery, SUCCEEDED)
            found = [await engine.get(each) for each in ids]
            if all(each is not None and each.status.terminal for each in found):
                return


def damage(redis: RedisClient, kind: str, prediction_id: str, seq: str, stream: str = STREAM) -> None:
    key = record(prediction_id)
    commands: dict[str, list[Words]] = {
        "no record": [("DEL", key)],
        "a record of another type": [("DEL", key), ("SET", key, "mine")],
        "a record without its number": [("HDEL", key, "seq")],
        "a record with invalid numbers": [("HSET", key, "at", "yesterday", "attempt", "x")],
        "a record with a number beyond all dates": [("HSET", key, "at", "9" * 30)],
        "no entry": [("XDEL", stream, f"{seq}-0")],
    }
    for words in commands[kind]:
        redis.execute_command(*words)


KINDS = [
    "no record",
    "a record of another type",
    "a record without its number",
    "a record with invalid numbers",
    "a record with a number beyond all dates",
    "no entry",
]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_queued_prediction_that_lost_a_part_ends(
    engine: Engine, redis: RedisClient, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    ids = await submit_many(engine, 3)
    damage(redis, kind, ids[1], "2")
    with caplog.at_level(logging.ERROR):
        await run_all(engine, [ids[0], ids[2]])
        lost = await ended(engine, ids[1])
    assert failure(lost) is FailureKind.DATA_LOST
    assert [failure(await get(engine, each)) for each in (ids[0], ids[2])] == [None, None]
    assert ids[1] in {getattr(line, "prediction_id", "") for line in caplog.records}
    state = await depth(engine)
    assert (state.queued, state.running) == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_running_prediction_that_lost_a_part_ends(engine: Engine, redis: RedisClient, kind: str) -> None:
    ids = await submit_many(engine, 2)
    first, second = await engine.receive(MODEL, 2, 1)
    damage(redis, kind, ids[0], "1")
    await engine.extend([first, second])
    assert await settle_one(engine, second, SUCCEEDED)
    async with asyncio.timeout(ENDS_S):
        counts = await settle_one(engine, first, OTHER)
    assert failure(await ended(engine, ids[0])) is (None if counts else FailureKind.DATA_LOST)
    assert (await depth(engine)).running == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_an_expired_lease_without_its_part_stops_no_other(engine: Engine, redis: RedisClient, kind: str) -> None:
    ids = await submit_many(engine, 3)
    assert len(await engine.receive(MODEL, 2, 1)) == 2
    damage(redis, kind, ids[0], "1")
    await run_all(engine, [ids[1], ids[2]])
    assert failure(await ended(engine, ids[0])) is FailureKind.DATA_LOST


@pytest.mark.parametrize("kind", KINDS)
async def test_a_waiter_gets_the_end_of_what_was_lost(engine: Engine, redis: RedisClient, kind: str) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    waiter = asyncio.create_task(engine.get(prediction_id, None))
    await asyncio.sleep(0.1)
    damage(redis, kind, prediction_id, "1")
    async with asyncio.timeout(ENDS_S):
        assert failure(await waiter) is FailureKind.DATA_LOST


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"no record", "no entry"}])
async def test_an_unreadable_result_is_data_lost(engine: Engine, redis: RedisClient, kind: str) -> None:
    ids = await submit_many(engine, 2)
    await run_all(engine, ids)
    damage(redis, kind, ids[0], "1")
    async with asyncio.timeout(ENDS_S):
        assert failure(await engine.get(ids[0], None)) is FailureKind.DATA_LOST
    assert failure(await get(engine, ids[1])) is None


async def test_an_invalid_result_is_refused_with_a_sentence(engine: Engine, redis: RedisClient) -> None:
    ids = await submit_many(engine, 2)
    for delivery in await engine.receive(MODEL, 2, 1):
        await settle_one(engine, delivery, SUCCEEDED)
    redis.execute_command("HSET", record(ids[0]), "status", "strange")
    with pytest.raises(EngineUnavailable, match="install the version that wrote it"):
        await engine.get(ids[0], None)
    assert (await get(engine, ids[1])).outcome == SUCCEEDED


@pytest.mark.parametrize("name", ["returned", "delayed"])
@pytest.mark.parametrize("content", ["", "mine", "77"])
async def test_what_lost_its_place_is_queued_again(engine: Engine, redis: RedisClient, name: str, content: str) -> None:
    ids = await submit_many(engine, 2)
    delivery = await receive_one(engine)
    assert await engine.release(delivery, counted=False, delay_s=0 if name == "returned" else 3600)
    redis.execute_command("DEL", f"{BASE}:{name}")
    if content:
        redis.execute_command("ZADD", f"{BASE}:{name}", "1", content)
    await run_all(engine, ids)
    assert [failure(await get(engine, each)) for each in ids] == [None, None]


@pytest.mark.parametrize("lost", ["stream", "model", "group", "stream and model"])
async def test_a_queue_that_lost_a_key_accepts_and_ends_everything(
    engine: Engine, redis: RedisClient, lost: str
) -> None:
    ids = await submit_many(engine, 3)
    held = await receive_one(engine)
    if lost == "group":
        redis.execute_command("XGROUP", "DESTROY", STREAM, "workers")
    for name in lost.split(" and ") if lost != "group" else ():
        redis.execute_command("DEL", f"{BASE}:{name}")
    ids += await submit_many(engine, 2)
    await settle_one(engine, held, OTHER)
    await run_all(engine, ids)
    kinds = [failure(await get(engine, each)) for each in ids]
    assert kinds[3:] == [None, None]
    assert set(kinds) <= {None, FailureKind.DATA_LOST}
    assert lost not in {"model", "group"} or kinds == [None] * 5


async def test_a_lost_group_hands_out_each_prediction_once(engine: Engine, redis: RedisClient) -> None:
    ids = await submit_many(engine, 3)
    assert await engine.release(await receive_one(engine), counted=False)
    redis.execute_command("XGROUP", "DESTROY", STREAM, "workers")
    received: list[str] = []
    async with asyncio.timeout(ENDS_S):
        while len(received) < 3:
            received += [each.message.prediction_id for each in await engine.receive(MODEL, 10, 0.2)]
    assert await engine.receive(MODEL, 10, 0) == []
    assert received == ids


@pytest.mark.parametrize(
    "field", ["seq", "bytes", "longest", "run_s", "reached", "swept_at", "checked", "listed", "looked_at"]
)
async def test_an_invalid_field_of_a_queue_stops_nothing(engine: Engine, redis: RedisClient, field: str) -> None:
    ids = await submit_many(engine, 2)
    redis.execute_command("HSET", f"{BASE}:model", field, "mine")
    ids += await submit_many(engine, 2)
    await depth(engine)
    await run_all(engine, ids)
    assert [failure(await get(engine, each)) for each in ids] == [None] * 4


@pytest.mark.parametrize(
    "words",
    [
        ("2-0", "p", "poison"),
        ("2-0", "p", "poison", "t", "x", "i", "1"),
        ("2-0", "nothing", "of", "this", "is", "ours", "here"),
        ("*", "p", "poison", "t", "1", "i", "1"),
    ],
)
async def test_an_entry_of_another_program_is_taken_out(engine: Engine, redis: RedisClient, words: Words) -> None:
    ids = await submit_many(engine, 1)
    redis.execute_command("XADD", STREAM, *words)
    await depth(engine)
    ids += await submit_many(engine, 2)
    await run_all(engine, ids)
    assert [failure(await get(engine, each)) for each in ids] == [None] * 3
    assert (await depth(engine)).queued == 0


@pytest.mark.parametrize("content", [None, "mine"])
async def test_an_unreadable_idempotency_key_is_used_anew(
    engine: Engine, redis: RedisClient, content: str | None
) -> None:
    first = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    (key,) = redis.keys(f"{BASE}:k:*")
    redis.execute_command("DEL", key)
    if content:
        redis.execute_command("RPUSH", key, content)
    sent = message(b"1")
    second = await submit_one(engine, sent, durable=True, idempotency_key="key")
    again = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    assert (second.prediction_id, again.prediction_id) == (sent.prediction_id, sent.prediction_id)
    await run_all(engine, [first.prediction_id, second.prediction_id])


async def test_a_key_whose_record_is_unreadable_gets_data_lost(engine: Engine, redis: RedisClient) -> None:
    first = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    damage(redis, "a record of another type", first.prediction_id, "1")
    async with asyncio.timeout(ENDS_S):
        second = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    assert second.prediction_id == first.prediction_id
    assert failure(second) is FailureKind.DATA_LOST


@pytest.mark.parametrize("content", [None, "\x00garbage"])
async def test_a_worker_that_cannot_be_read_hides_no_other(
    engine: Engine, redis: RedisClient, content: str | None
) -> None:
    for name in ("one", "two"):
        await engine.announce(WorkerState(name, MODEL, None, replicas=1, ready_replicas=1, slots=1))
    redis.execute_command("HDEL", f"{BASE}:workers", "one")
    if content:
        redis.execute_command("HSET", f"{BASE}:workers", "one", content, "one:schemas", content)
    card = ModelCard(MODEL, "", {}, {}, {}, 1)
    await engine.announce(WorkerState("two", MODEL, card, replicas=1, ready_replicas=1, slots=1))
    assert [worker.worker_id for worker in (await depth(engine)).workers] == ["two"]


async def test_a_model_with_another_programs_key_stops_no_other(
    engine: Engine, redis: RedisClient, caplog: pytest.LogCaptureFixture
) -> None:
    await submit_one(engine, message(), durable=True)
    other = await submit_one(engine, message(model="other"), durable=True)
    redis.execute_command("DEL", STREAM)
    redis.execute_command("SET", STREAM, "mine")
    await asyncio.sleep(1.5)  # a sweep
    assert "choose another with ?prefix=NAME" in ((await engine.queues())[MODEL].problem or "")
    assert (await get(engine, other.prediction_id)).status is Status.QUEUED
    delivery = await receive_one(engine, "other")
    assert await settle_one(engine, delivery, SUCCEEDED)
    assert (await get(engine, other.prediction_id)).outcome == SUCCEEDED
    assert any("a queue cannot be used" in line.message for line in caplog.records)


async def test_unreadable_names_of_models_stop_no_sweep(engine: Engine, redis: RedisClient) -> None:
    ids = await submit_many(engine, 1)
    await receive_one(engine)
    redis.execute_command("DEL", "zypher")
    redis.execute_command("SET", "zypher", "mine")
    await run_all(engine, ids)
    assert "choose another" in ((await depth(engine)).problem or "")


async def test_a_prediction_that_redis_forgot_is_unavailable(engine: Engine, redis: RedisClient) -> None:
    accepted = await submit_one(engine, message(), durable=False)
    waiter = asyncio.create_task(engine.get(accepted.prediction_id, None))
    await asyncio.sleep(0.1)
    redis.flushall()
    async with asyncio.timeout(ENDS_S):
        with pytest.raises(EngineUnavailable, match="send it again"):
            await waiter
    ids = await submit_many(engine, 1)
    await run_all(engine, ids)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_lost_part_in_another_lane_stops_no_other(engine: Engine, redis: RedisClient, kind: str) -> None:
    ids = [
        (await submit_one(engine, message(options=Options(lane=lane)), durable=True)).prediction_id
        for lane in (Lane.HIGH, Lane.HIGH, Lane.NORMAL)
    ]
    damage(redis, kind, ids[1], "2", STREAM + ":high")
    await run_all(engine, [ids[0], ids[2]])
    assert failure(await ended(engine, ids[1])) is FailureKind.DATA_LOST
    assert (await depth(engine)).queued == 0


@pytest.mark.parametrize("lane", ["high", "webhooks"])
async def test_a_lost_group_of_a_lane_loses_nothing(engine: Engine, redis: RedisClient, lane: str) -> None:
    options = Options(lane=Lane.HIGH, notify=True)
    ids = [(await submit_one(engine, message(options=options), durable=True)).prediction_id for _ in range(3)]
    if lane == "webhooks":
        await run_all(engine, ids)
    redis.execute_command("XGROUP", "DESTROY", f"{STREAM}:{lane}", "workers")
    await run_all(engine, ids)
    notices: list[Delivery] = []
    async with asyncio.timeout(ENDS_S):
        while len(notices) < 3:
            notices += await engine.receive(MODEL, 10, 0.2, (Lane.WEBHOOKS,))


@pytest.mark.parametrize("content", [None, "mine"])
@pytest.mark.parametrize("name", ["all", "deadlines", "returned:high", "delayed:high", "e:{id}"])
async def test_a_lost_key_besides_the_streams_stops_nothing(
    engine: Engine, redis: RedisClient, name: str, content: str | None
) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=3600)
    options = Options(lane=Lane.HIGH, deadline=deadline)
    ids = [(await submit_one(engine, message(options=options), durable=True)).prediction_id for _ in range(2)]
    (first,) = await engine.receive(MODEL, 1, 1)
    await engine.publish(first, [Event(EventKind.PROGRESS, b"1")])
    key = f"{BASE}:{name.replace('{id}', ids[0])}"
    redis.execute_command("DEL", key)
    if content and ":high" not in name:
        redis.execute_command("SET", key, content)
    elif content:
        redis.execute_command("ZADD", key, "1", content)
    assert await engine.publish(first, [Event(EventKind.PROGRESS, b"2")])
    assert [each.number for each in await engine.events(ids[0]) or []][-1:] == [2]
    assert await settle_one(engine, first, SUCCEEDED)
    ids += await submit_many(engine, 1)
    await run_all(engine, ids)
    assert [failure(await get(engine, each)) for each in ids] == [None] * 3


async def test_a_lost_list_begins_anew(engine: Engine, redis: RedisClient) -> None:
    await submit_many(engine, 3)
    redis.execute_command("DEL", f"{BASE}:all")
    ids = await submit_many(engine, 2)
    assert [each.prediction_id for each in (await engine.page(MODEL)).predictions] == ids[::-1]
    redis.execute_command("DEL", f"{BASE}:model")
    ids += await submit_many(engine, 2)
    assert [each.prediction_id for each in (await engine.page(MODEL)).predictions] == ids[::-1]


async def test_a_list_leaves_out_what_cannot_be_read(engine: Engine, redis: RedisClient) -> None:
    ids = await submit_many(engine, 4)
    damage(redis, "a record of another type", ids[0], "1")
    redis.execute_command("DEL", record(ids[1]))
    redis.execute_command("HSET", record(ids[2]), "status", "strange")
    assert [each.prediction_id for each in (await engine.page(MODEL)).predictions] == [ids[3]]


async def test_a_deadline_whose_list_is_lost_counts_all_the_same(engine: Engine, redis: RedisClient) -> None:
    options = Options(deadline=datetime.now(UTC) + timedelta(seconds=0.5))
    late = await submit_one(engine, message(options=options), durable=True)
    redis.execute_command("DEL", f"{BASE}:deadlines")
    waiter = await engine.get(late.prediction_id, ENDS_S)
    assert waiter is not None
    assert waiter.status is Status.EXPIRED


@pytest.mark.parametrize(
    "field", ["lane", "options", "deadline", "events", "event_bytes", "listeners", "stop", "notify"]
)
async def test_an_invalid_field_of_a_record_stops_no_other(engine: Engine, redis: RedisClient, field: str) -> None:
    ids = await submit_many(engine, 3)
    redis.execute_command("HSET", record(ids[1]), field, "mine")
    await run_all(engine, [ids[0], ids[2]])
    last = await ended(engine, ids[1])
    lost = FailureKind.DATA_LOST if field in {"lane", "options"} else None
    assert (failure(last), last.status is Status.CANCELLED) == (lost, field == "stop")
    assert [failure(await get(engine, each)) for each in (ids[0], ids[2])] == [None, None]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "no entry"])
async def test_the_key_of_a_destroyed_record_expires(engine: Engine, redis: RedisClient, kind: str) -> None:
    first = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
    damage(redis, kind, first.prediction_id, "1")
    await ended(engine, first.prediction_id)
    await run_all(engine, await submit_many(engine, 1))
    (key,) = redis.keys(f"{BASE}:k:*")
    async with asyncio.timeout(ENDS_S):
        while redis.pttl(key) < 0:
            await asyncio.sleep(0.05)


async def test_an_unreadable_dead_letter_hides_no_other(engine: Engine, redis: RedisClient) -> None:
    ids = await submit_many(engine, 3)
    for delivery in await engine.receive(MODEL, 3, 1):
        await settle_one(engine, delivery, LOST)
    damage(redis, "a record of another type", ids[0], "1")
    redis.execute_command("HSET", record(ids[1]), "kind", "strange")
    assert [each.prediction_id for each in await engine.dead(MODEL, 10)] == [ids[2]]
    assert await engine.replay(ids[2])


@pytest.mark.parametrize("lost", ["entry", "stream"])
async def test_what_lost_its_entry_ends_though_none_asks(engine: Engine, redis: RedisClient, lost: str) -> None:
    (prediction_id,) = await submit_many(engine, 1)
    await depth(engine)
    if lost == "stream":
        redis.execute_command("DEL", STREAM)
    else:
        await submit_many(engine, 1)
        redis.execute_command("XTRIM", STREAM, "MAXLEN", "1")
    async with asyncio.timeout(ENDS_S):
        while redis.execute_command("HGET", record(prediction_id), "kind") != b"data_lost":
            await asyncio.sleep(0.05)
    assert cast(int, redis.execute_command("PTTL", record(prediction_id))) > 0


@pytest.mark.parametrize("giving_back", ["settle", "release"])
async def test_a_run_that_lost_its_entry_ends_with_its_attempt(
    engine: Engine, redis: RedisClient, giving_back: str
) -> None:
    (prediction,) = await engine.submit([Submission(message())], durable=False)
    delivery = await receive_one(engine)
    redis.execute_command("DEL", STREAM)
    if giving_back == "settle":
        assert not await settle_one(engine, delivery, SUCCEEDED)
    else:
        assert not await engine.release(delivery, counted=False)
    assert redis.pttl(record(prediction.prediction_id).encode()) > 0
    assert failure(await engine.get(prediction.prediction_id)) is FailureKind.DATA_LOST
