"""Many processes on one Redis: what they must agree on, and what one must not do to the others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from typing import Protocol

import pytest

from tests.contract.phrases import (
    MODEL,
    OTHER,
    SUCCEEDED,
    depth,
    get,
    message,
    models,
    receive_ids,
    receive_one,
    settle_one,
    submit_many,
    submit_one,
    turns,
)
from tests.fake_clock import eventually
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer
from tests.redis_time import RedisClock
from zypher.engines.contract import Engine, Settlement, Stop, Submission
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.engine import RedisStreamsEngine
from zypher.engines.redis_streams.format import FORMAT
from zypher.engines.redis_streams.limits import Limits
from zypher.errors import EngineUnavailable
from zypher.prediction import Cancellation, Event, EventKind, FailureKind, Outcome, Status, StopReason
from zypher.queue_state import WorkerState

BASE = f"{{zypher:{MODEL}}}"
LEASE_S = 30.0
BRIEF_LEASE_S = 2.0


class OpenEngine(Protocol):
    def __call__(self, limits: Limits = ...) -> Awaitable[Engine]: ...


@pytest.fixture
def clock(redis: RedisClient) -> RedisClock:
    return RedisClock([redis])


@pytest.fixture
async def another(server: RedisServer, clock: RedisClock) -> AsyncIterator[OpenEngine]:
    opened: list[Engine] = []

    async def open_one(limits: Limits | None = None) -> Engine:
        engine = RedisStreamsEngine(Address.parse(server.url), limits or limits_of(), clock)
        await engine.open()
        opened.append(engine)
        return engine

    yield open_one
    await asyncio.gather(*(engine.close() for engine in opened))


def limits_of(lease_s: float = LEASE_S) -> Limits:
    return Limits(queue_limit=1000, retention_s=3600, lease_s=lease_s)


async def a_sweep(clock: RedisClock, redis: RedisClient) -> None:
    """Let a process sweep once at least from beginning to end."""
    refreshes = calls(redis, "hkeys")
    async with asyncio.timeout(10):
        while calls(redis, "hkeys") < refreshes + 2:
            clock.advance(0.5)
            await asyncio.sleep(0.01)


async def test_twenty_workers_of_five_processes_get_each_prediction_once(another: OpenEngine) -> None:
    engines = [await another() for _ in range(5)]
    received: list[str] = []

    async def work(engine: Engine) -> None:
        while True:
            for delivery in await engine.receive(MODEL, 3, 60):
                assert await settle_one(engine, delivery, SUCCEEDED)
                received.append(delivery.message.prediction_id)

    workers = [asyncio.create_task(work(engine)) for engine in engines for _ in range(4)]
    ids = [each for engine in engines for each in await submit_many(engine, 40)]
    await eventually(lambda: len(received) >= len(ids))
    for worker in workers:
        worker.cancel()
    await asyncio.wait(workers)
    assert Counter(received) == Counter(ids)


async def test_one_key_from_50_concurrent_callers_is_one_prediction(another: OpenEngine) -> None:
    engines = [await another() for _ in range(5)]
    submits = (submit_one(engine, message(), durable=True, idempotency_key="key") for engine in engines * 10)
    assert len({prediction.prediction_id for prediction in await asyncio.gather(*submits)}) == 1
    assert (await depth(engines[0])).queued == 1


async def test_only_the_holder_of_the_lease_settles(another: OpenEngine, clock: RedisClock) -> None:
    first, second = await another(), await another()
    (prediction_id,) = await submit_many(first, 1)
    lost = await receive_one(first)
    clock.advance(LEASE_S)
    again = await second.receive(MODEL, 1, 5)
    settled = await asyncio.gather(settle_one(first, lost, OTHER), settle_one(second, again[0], SUCCEEDED))
    assert settled == [False, True]
    assert (await get(first, prediction_id)).outcome == SUCCEEDED


async def test_workers_with_different_leases_do_not_affect_each_other(
    another: OpenEngine, redis: RedisClient, clock: RedisClock
) -> None:
    patient, hasty = await another(), await another(limits_of(BRIEF_LEASE_S))
    await submit_many(patient, 2)
    long, brief = await receive_one(patient), await receive_one(hasty)
    clock.advance(BRIEF_LEASE_S)
    await a_sweep(clock, redis)
    assert (await depth(hasty)).running == 1
    await patient.extend([long])
    assert await patient.stops(0) == []
    assert await settle_one(patient, long, SUCCEEDED)
    assert not await settle_one(hasty, brief, SUCCEEDED)


async def test_all_workers_are_listed_whatever_their_leases(another: OpenEngine, clock: RedisClock) -> None:
    patient, hasty = await another(), await another(limits_of(BRIEF_LEASE_S))
    await patient.announce(WorkerState("patient", MODEL, None, 1, 1, 1))
    await hasty.announce(WorkerState("hasty", MODEL, None, 1, 1, 1))
    clock.advance(BRIEF_LEASE_S + 1)
    assert [presence.worker_id for presence in (await depth(hasty)).workers] == ["patient"]


async def test_an_emptied_redis_is_set_up_again(another: OpenEngine, redis: RedisClient, clock: RedisClock) -> None:
    engine = await another()
    await engine.announce(WorkerState("w", MODEL, None, 1, 1, 1))
    await submit_many(engine, 1)
    delivery = await receive_one(engine)
    redis.flushall()
    assert not await settle_one(engine, delivery, SUCCEEDED)
    await a_sweep(clock, redis)
    await engine.announce(WorkerState("w", MODEL, None, 1, 1, 1))
    assert await models(await another()) == [MODEL]
    (prediction_id,) = await submit_many(engine, 1)
    assert await receive_ids(engine) == [prediction_id]


async def test_a_key_of_another_type_affects_only_its_model(
    another: OpenEngine, redis: RedisClient, clock: RedisClock
) -> None:
    engine = await another()
    foreign = "{zypher:uvicorn}:stream"
    redis.execute_command("SET", foreign, "mine")
    with pytest.raises(EngineUnavailable, match=r"choose another with \?prefix=NAME"):
        await submit_one(engine, message(model="uvicorn"), durable=True)
    (prediction_id,) = await submit_many(engine, 1)
    lost = await receive_one(engine)
    await a_sweep(clock, redis)
    assert (await depth(engine)).problem is None
    receiver = asyncio.create_task(engine.receive(MODEL, 1, 60))
    await turns()
    clock.advance(LEASE_S)
    async with asyncio.timeout(5):
        assert [each.message.prediction_id for each in await receiver] == [prediction_id]
    assert not await settle_one(engine, lost, SUCCEEDED)
    assert redis.execute_command("GET", foreign) == b"mine"


async def test_a_newer_format_stops_everything_until_it_is_gone(
    another: OpenEngine, redis: RedisClient, clock: RedisClock
) -> None:
    engine = await another()
    await submit_many(engine, 1)
    delivery = await receive_one(engine)
    redis.execute_command("HSET", "zypher", "format", FORMAT + 1)
    with suppress(EngineUnavailable):
        while True:
            await engine.queues(MODEL)
            clock.advance(0.5)
    before = redis.keys("*")
    for call in (
        submit_one(engine, message(), durable=True),
        engine.queues(MODEL),
        engine.release(delivery, counted=True),
    ):
        with pytest.raises(EngineUnavailable, match="written by a newer version of zypher"):
            await call
    settle = asyncio.create_task(settle_one(engine, delivery, SUCCEEDED))
    await turns()
    assert (sorted(redis.keys("*")), settle.done()) == (sorted(before), False)
    redis.execute_command("HSET", "zypher", "format", FORMAT)
    async with asyncio.timeout(5):
        assert await settle


async def test_a_record_of_a_newer_version_is_reported(another: OpenEngine, redis: RedisClient) -> None:
    engine = await another()
    (prediction_id,) = await submit_many(engine, 1)
    await settle_one(engine, await receive_one(engine), Outcome(Status.EXPIRED))
    redis.execute_command("HSET", f"{BASE}:p:{prediction_id}", "status", "postponed")
    with pytest.raises(EngineUnavailable, match="install the version that wrote it"):
        await engine.get(prediction_id)


async def test_a_worker_of_an_unknown_version_is_reported(another: OpenEngine, redis: RedisClient) -> None:
    engine = await another()
    await engine.announce(WorkerState("w", MODEL, None, 1, 1, 1))
    redis.execute_command("HSET", f"{BASE}:workers", "w", b"\x01")
    with pytest.raises(EngineUnavailable, match="install the version that they have"):
        await engine.queues(MODEL)


async def test_an_invalid_name_is_not_a_model(another: OpenEngine, redis: RedisClient, clock: RedisClock) -> None:
    engine = await another()
    redis.execute_command("HSET", "zypher", "model:%FF", "")
    await submit_many(engine, 1)
    await a_sweep(clock, redis)
    assert await models(engine) == [MODEL]
    assert (await depth(engine)).problem is None


async def test_large_inputs_are_received_few_at_a_time(another: OpenEngine) -> None:
    engine = await another()
    large = b'"' + b"x" * 600_000 + b'"'
    for _ in range(3):
        await submit_one(engine, message(large), durable=True)
    assert [len(await engine.receive(MODEL, 10, 0)) for _ in range(4)] == [1, 1, 1, 0]


async def test_an_output_that_redis_cannot_keep_is_a_failure(another: OpenEngine) -> None:
    engine = await another(Limits(queue_limit=10, retention_s=60, lease_s=LEASE_S, value_bytes=100))
    (prediction_id,) = await submit_many(engine, 1)
    assert await settle_one(engine, await receive_one(engine), Outcome(Status.SUCCEEDED, output=b"1" * 101))
    outcome = (await get(engine, prediction_id)).outcome
    assert outcome is not None
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.output) == (FailureKind.INVALID_OUTPUT, None)
    assert "101 bytes" in outcome.failure.message


async def test_results_of_own_submissions_arrive_without_polling(another: OpenEngine, redis: RedisClient) -> None:
    engine = await another()
    await submit_many(engine, 1)
    await settle_one(
        engine, await receive_one(engine), SUCCEEDED
    )  # Redis has the scripts: each is one call from now on
    sent = message()
    await submit_one(engine, sent, durable=False)
    delivery = await receive_one(engine)
    waiter = asyncio.create_task(engine.get(sent.prediction_id, 60))
    await turns()
    before = calls(redis, "eval", "evalsha")
    await settle_one(engine, delivery, SUCCEEDED)
    assert await waiter is not None
    assert calls(redis, "eval", "evalsha") - before == 1  # settle


def calls(redis: RedisClient, *commands: str) -> int:
    """How many of these commands ran."""
    stats = redis.info("commandstats")
    return sum(stats[f"cmdstat_{command}"]["calls"] for command in commands if f"cmdstat_{command}" in stats)


@pytest.mark.parametrize(("durable", "kept_s"), [(False, 60), (True, 3600)])
async def test_a_result_is_kept_for_its_reader_only(
    another: OpenEngine, redis: RedisClient, durable: bool, kept_s: int
) -> None:
    engine = await another()
    prediction = await submit_one(engine, message(), durable=durable)
    await settle_one(engine, await receive_one(engine), SUCCEEDED)
    (record,) = [key for key in redis.keys("*") if prediction.prediction_id.encode() in key]
    assert (kept_s - 10) * 1000 < redis.pttl(record) <= kept_s * 1000


async def test_a_cancel_in_another_process_is_a_stop(another: OpenEngine) -> None:
    worker, server = await another(), await another()
    (prediction_id,) = await submit_many(server, 1)
    delivery = await receive_one(worker)
    stops = asyncio.create_task(worker.stops(60))
    assert await server.cancel(prediction_id) is Cancellation.ASKED
    async with asyncio.timeout(5):
        assert await stops == [Stop(delivery, StopReason.CANCELLED)]
    assert await server.stops(0) == []


async def test_a_stop_whose_message_is_lost_comes_with_the_lease(another: OpenEngine, redis: RedisClient) -> None:
    engine = await another()
    (prediction_id,) = await submit_many(engine, 1)
    delivery = await receive_one(engine)
    redis.execute_command("HSET", f"{BASE}:p:{prediction_id}", "stop", "1")
    for _ in range(2):
        await engine.extend([delivery])
    assert await engine.stops(0) == [Stop(delivery, StopReason.CANCELLED)]


async def test_events_of_another_process_wake_who_waits(another: OpenEngine, redis: RedisClient) -> None:
    worker, server = await another(), await another()
    (prediction_id,) = await submit_many(server, 1)
    delivery = await receive_one(worker)
    waiter = asyncio.create_task(server.events(prediction_id, wait_s=60))
    await eventually(lambda: redis.hget(f"{BASE}:p:{prediction_id}".encode(), "listeners"))
    assert await worker.publish(delivery, [Event(EventKind.PROGRESS, b"1")])
    async with asyncio.timeout(5):
        assert await waiter == [Event(EventKind.PROGRESS, b"1", 1, 1)]


async def test_who_waits_for_events_also_looks_after_a_sweep(
    another: OpenEngine, redis: RedisClient, clock: RedisClock
) -> None:
    engine = await another()
    (prediction_id,) = await submit_many(engine, 1)
    delivery = await receive_one(engine)
    waiter = asyncio.create_task(engine.events(prediction_id, wait_s=3600))
    record = f"{BASE}:p:{prediction_id}"
    await eventually(lambda: redis.hget(record.encode(), "listeners"))
    redis.execute_command("HDEL", record, "listeners")
    assert await engine.publish(delivery, [Event(EventKind.PROGRESS, b"1")])
    await a_sweep(clock, redis)
    async with asyncio.timeout(5):
        assert [each.number for each in await waiter or []] == [1]


async def test_a_pause_holds_for_every_process(another: OpenEngine) -> None:
    worker, server = await another(), await another()
    await server.pause(MODEL, paused=True)
    receiver = asyncio.create_task(worker.receive(MODEL, 1, 3600))
    (prediction_id,) = await submit_many(server, 1)
    assert await server.receive(MODEL, 1, 0) == []
    assert not receiver.done()
    await server.pause(MODEL, paused=False)
    async with asyncio.timeout(5):
        assert [each.message.prediction_id for each in await receiver] == [prediction_id]


@pytest.mark.parametrize("waits", [0, 25])
async def test_a_list_forgets_what_expired(
    another: OpenEngine, redis: RedisClient, clock: RedisClock, waits: int
) -> None:
    engine = await another()
    await engine.submit([Submission(message()) for _ in range(waits)], durable=True)
    held = await engine.receive(MODEL, waits, 0)
    await engine.submit([Submission(message()) for _ in range(300)], durable=True)
    while deliveries := await engine.receive(MODEL, 100, 0):
        await engine.settle([Settlement(each, SUCCEEDED) for each in deliveries])
    await engine.extend(held)
    await submit_many(engine, 1)  # something waits, so nothing expires as a whole
    clock.advance(3600)
    async with asyncio.timeout(10):
        while redis.execute_command("ZCARD", f"{BASE}:all") != waits + 1:
            await engine.queues(MODEL)
            await asyncio.sleep(0.05)


async def test_a_model_of_another_name_is_not_asked(another: OpenEngine, redis: RedisClient) -> None:
    engine = await another()
    for number in range(20):
        await submit_one(engine, message(model=f"model {number}"), durable=True)
    (prediction_id,) = await submit_many(engine, 1)
    await get(engine, prediction_id)
    before = calls(redis, "eval", "evalsha")
    await get(engine, prediction_id)
    assert calls(redis, "eval", "evalsha") - before <= 2  # the second is one that has the same three characters


async def test_who_submits_again_is_notified_of_the_end(
    another: OpenEngine, redis: RedisClient, clock: RedisClock
) -> None:
    first, second = await another(), await another()
    sent = message()
    await submit_one(first, sent, durable=True)
    assert (await submit_one(second, sent, durable=False)).status is Status.QUEUED
    waiter = asyncio.create_task(second.get(sent.prediction_id, None))
    await eventually(lambda: redis.hget(f"{BASE}:p:{sent.prediction_id}".encode(), "watchers"))
    await settle_one(first, await receive_one(first), SUCCEEDED)
    async with asyncio.timeout(5):
        assert await waiter == await get(first, sent.prediction_id)
