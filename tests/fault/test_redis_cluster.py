"""A Redis Cluster of which a node is away: its models wait for it, the others go on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.phrases import SUCCEEDED, depth, message, receive_one, settle_one, submit_one
from tests.redis_cluster import RedisCluster
from tests.redis_server import no_redis, redis_program
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine
from zypher.errors import EngineError, EngineUnavailable
from zypher.settings import EngineSettings

AT_ONCE_S = 1.0
BACK_S = 10.0
MODELS = [f"model {number}" for number in range(12)]  # some on each node


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    if redis_program() is None:
        no_redis()
    with RedisCluster(tmp_path / "cluster", "--cluster-require-full-coverage", "no") as cluster:
        yield cluster


@pytest.fixture
async def engine(cluster: RedisCluster) -> AsyncIterator[Engine]:
    engine = connect(EngineSettings(engine=cluster.url), SystemClock())
    await engine.open()
    yield engine
    await engine.close()


async def reached(engine: Engine) -> set[str]:
    """The models whose predictions are accepted now."""
    found: set[str] = set()
    for model in MODELS:
        try:
            await submit_one(engine, message(model=model), durable=True)
        except EngineUnavailable:
            continue
        found.add(model)
    return found


async def test_what_one_node_does_not_answer_the_others_do(engine: Engine, cluster: RedisCluster) -> None:
    assert await reached(engine) == set(MODELS)
    held = {model: await receive_one(engine, model) for model in MODELS}
    cluster.nodes[0].kill()  # the one that the URL names
    async with asyncio.timeout(AT_ONCE_S):
        there = await reached(engine)
    assert set() < there < set(MODELS)
    settles = {model: asyncio.create_task(settle_one(engine, held[model], SUCCEEDED)) for model in MODELS}
    async with asyncio.timeout(BACK_S):
        assert all(await asyncio.gather(*(settles[model] for model in there)))
    assert not any(settles[model].done() for model in MODELS if model not in there)
    assert [(await depth(engine, model)).problem for model in there] == [None] * len(there)
    cluster.nodes[0].start()
    async with asyncio.timeout(BACK_S):
        assert all(await asyncio.gather(*settles.values()))
        while await reached(engine) != set(MODELS):
            await asyncio.sleep(0.05)


async def test_a_cluster_has_one_database(cluster: RedisCluster) -> None:
    with pytest.raises(EngineError, match="a Redis cluster has database 0 only"):
        await connect(EngineSettings(engine=cluster.url.replace("/0", "/1")), SystemClock()).open()
