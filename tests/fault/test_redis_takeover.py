"""A Redis that the version before used is taken over, whole, and while none of its processes is left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.asking import client_of, output
from tests.contract.phrases import SUCCEEDED, depth, get, message, settle_one, status, submit_one
from tests.redis_client import RedisClient
from tests.redis_cluster import RedisCluster
from tests.redis_format_1 import MODEL, OTHER, REVISION, id_of, write_format_1
from tests.redis_keys import leftovers
from tests.redis_server import RedisServer, no_redis, redis_program
from tests.server_process import ServerProcess, WorkerProcess, ZypherProcess
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine
from zypher.engines.redis_streams.format import FORMAT
from zypher.errors import EngineError, IdempotencyKeyReused
from zypher.prediction import NO_OPTIONS, Delivery, Options, Status
from zypher.settings import EngineSettings

STATES = {
    "ended": Status.SUCCEEDED,
    "dead": Status.FAILED,
    "delayed": Status.QUEUED,
    "returned": Status.QUEUED,
    "running": Status.RUNNING,
    "waiting": Status.QUEUED,
    "plain": Status.QUEUED,
}
RECEIVED = ["returned", "waiting", "plain", "passing"]
LEASE_S = 1.0
STREAM = f"{{zypher:{MODEL}}}:stream"

OpenEngine = Callable[[], Awaitable[Engine]]


@pytest.fixture(params=["redis", "cluster"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer | RedisCluster]:
    if redis_program() is None:
        no_redis()
    with RedisServer(tmp_path) if request.param == "redis" else RedisCluster(tmp_path) as place:
        yield place


@pytest.fixture
def clients(place: RedisServer | RedisCluster) -> Iterator[list[RedisClient]]:
    clients = place.clients()
    write_format_1(clients)
    yield clients
    for client in clients:
        client.close()


@pytest.fixture
async def open_engine(place: RedisServer | RedisCluster) -> AsyncIterator[OpenEngine]:
    opened: list[Engine] = []

    async def open_one() -> Engine:
        engine = connect(EngineSettings(engine=place.url, lease_s=LEASE_S), SystemClock())
        await engine.open()
        opened.append(engine)
        return engine

    yield open_one
    for engine in opened:
        await engine.close()


def written_format(clients: list[RedisClient]) -> bytes | None:
    for client in clients:
        with suppress(Exception):
            return client.hget(b"zypher", "format")
    raise AssertionError("no node has the prefix")


async def test_predictions_in_every_state_are_taken_over(clients: list[RedisClient], open_engine: OpenEngine) -> None:
    engine = await open_engine()
    assert {name: await status(engine, id_of(name)) for name in STATES} == STATES
    assert {(await get(engine, id_of(name))).options.revision for name in STATES if name != "plain"} == {REVISION}
    assert (await get(engine, id_of("plain"))).options == NO_OPTIONS
    state = await depth(engine)
    assert (state.queued, state.running, state.delayed, state.dead) == (5, 1, 1, 1)
    assert [each.prediction_id for each in await engine.dead(MODEL, 10)] == [id_of("dead")]
    deliveries = await engine.receive(MODEL, 10, 5)
    assert [each.message.prediction_id for each in deliveries] == [id_of(name) for name in RECEIVED]
    assert [each.message.options for each in deliveries] == [
        NO_OPTIONS if name == "plain" else Options(revision=REVISION) for name in RECEIVED
    ]
    for delivery in deliveries:
        assert await settle_one(engine, delivery, SUCCEEDED)


async def test_what_was_taken_over_is_listed(clients: list[RedisClient], open_engine: OpenEngine) -> None:
    engine = await open_engine()
    fresh = await submit_one(engine, message(), durable=True)
    page = await engine.page(MODEL)
    accepted = ["ended", "dead", "delayed", "returned", "running", "waiting", "plain"]
    assert [each.prediction_id for each in page.predictions] == [
        fresh.prediction_id,
        *(id_of(name) for name in accepted[::-1]),
    ]
    assert [each.prediction_id for each in (await engine.page(OTHER)).predictions] == [id_of("single")]


async def test_what_ran_when_it_was_taken_over_runs_again(clients: list[RedisClient], open_engine: OpenEngine) -> None:
    engine = await open_engine()
    received: dict[str, Delivery] = {}
    async with asyncio.timeout(10):
        while id_of("running") not in received:
            received |= {each.message.prediction_id: each for each in await engine.receive(MODEL, 10, 1)}
            for client in clients:
                with suppress(Exception):  # its lease was half a minute
                    client.xclaim(STREAM, "workers", "30000", 0, [b"5-0"], idle=40_000, justid=True)
    again = received[id_of("running")]
    assert (again.attempt, again.message.options.revision) == (2, REVISION)


async def test_keys_and_dead_letters_are_taken_over(clients: list[RedisClient], open_engine: OpenEngine) -> None:
    engine = await open_engine()
    again = await submit_one(engine, message(b'{"n": "ended"}'), durable=True, idempotency_key="key")
    assert again.prediction_id == id_of("ended")
    with pytest.raises(IdempotencyKeyReused):
        await submit_one(engine, message(b"1"), durable=True, idempotency_key="another")
    assert await engine.replay(id_of("dead"))
    assert (await get(engine, id_of("dead"))).options.revision == REVISION
    assert (await depth(engine)).queued == 6


async def test_nothing_that_was_taken_over_stays_for_good(clients: list[RedisClient], open_engine: OpenEngine) -> None:
    await open_engine()
    assert [key for client in clients for key in leftovers(client)] == []


async def test_processes_of_the_version_before_prevent_a_takeover(
    place: RedisServer | RedisCluster, clients: list[RedisClient], open_engine: OpenEngine
) -> None:
    subscriber = clients[-1].pubsub()
    subscriber.subscribe("zypher:told:1a2b3c4d")
    assert subscriber.get_message(timeout=5) is not None
    with pytest.raises(EngineError, match="stop all of them, then start this one"):
        await open_engine()
    assert written_format(clients) == b"1"
    subscriber.close()
    async with asyncio.timeout(10):
        while True:
            with suppress(EngineError):
                engine = await open_engine()
                break
    assert await status(engine, id_of("ended")) is Status.SUCCEEDED


def test_commands_start_once_those_of_the_version_before_ended(
    place: RedisServer | RedisCluster, clients: list[RedisClient], tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text("class model:\n    def predict(self, x: object): return x\n")
    engine = ("--engine", place.url)
    worker, server = ("model.py:model", *engine), ("--no-worker", "--model", MODEL, *engine)
    subscriber = clients[-1].pubsub()
    subscriber.subscribe("zypher:told:1a2b3c4d")  # as a process of that version does
    assert subscriber.get_message(timeout=5) is not None
    for command in (("worker", *worker), ("serve", *server, "--port", "0")):
        with ZypherProcess(tmp_path, *command) as refused:
            assert refused.wait() == 2
            assert "stop all of them, then start this one" in refused.text()
    subscriber.close()
    with (
        WorkerProcess(tmp_path, *worker) as first,
        ServerProcess(tmp_path, *server) as second,
        client_of(second) as client,
    ):
        first.wait_ready()
        second.wait_ready()
        assert output(client, id_of("ended")) == "done"
        assert output(client, id_of("plain")) == {"n": "plain"}


async def test_two_processes_may_take_over_at_once(clients: list[RedisClient], open_engine: OpenEngine) -> None:
    engines = await asyncio.gather(*(open_engine() for _ in range(4)))
    for engine in engines:
        assert len((await engine.page(MODEL)).predictions) == 7
    assert written_format(clients) == b"%d" % FORMAT


async def test_an_interrupted_takeover_is_made_again(clients: list[RedisClient], open_engine: OpenEngine) -> None:
    await (await open_engine()).close()
    for client in clients:
        with suppress(Exception):
            client.execute_command("HSET", "zypher", "format", 1)
    engine = await open_engine()
    assert len((await engine.page(MODEL)).predictions) == 7
    assert (await get(engine, id_of("waiting"))).options == Options(revision=REVISION)
