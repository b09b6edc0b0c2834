"""A Redis far away: half a second each way, and leases of two seconds hold."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.proxy import Proxy
from tests.gate import Gate
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer
from tests.server_process import ServerProcess
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.settings import EngineSettings

DELAY_S = 0.5
LEASE_S = 2
RUN_S = 2 * LEASE_S
PREDICTIONS = 4
GATED = f"{Path(__file__).parent.parent}/models/gated.py:Gated"


@pytest.fixture
async def far(server: RedisServer, redis: RedisClient) -> AsyncIterator[Proxy]:
    async with Proxy(server.port) as proxy:
        yield proxy


async def test_predictions_longer_than_their_lease_run_once(far: Proxy, tmp_path: Path) -> None:
    engine = ("--engine", f"redis://127.0.0.1:{far.port}/0", "--lease-s", str(LEASE_S))
    with Gate(tmp_path / "gate") as gate, ServerProcess(tmp_path, GATED, *engine) as process:
        await asyncio.to_thread(process.wait_ready)
        far.delay_s = DELAY_S
        start = asyncio.create_task(start_and_stop(engine[1]))
        async with httpx.AsyncClient(base_url=process.url, trust_env=False, timeout=30) as client:
            ids = await asyncio.gather(*(submitted(client, gate.input(str(n))) for n in range(PREDICTIONS)))
            await asyncio.to_thread(gate.wait_for_runs, PREDICTIONS)
            await asyncio.sleep(RUN_S)
            gate.open()
            for prediction_id in ids:
                assert (await client.get(f"/predict/{prediction_id}?wait=20")).status_code == 200
        assert sorted(gate.runs()) == [str(n) for n in range(PREDICTIONS)]
        assert not any("lease lost" in str(record["message"]) for record in process.log())
        await start


async def start_and_stop(url: str) -> None:
    """What takes the most round trips in a row."""
    engine = connect(EngineSettings(engine=url), SystemClock())
    await engine.open()
    await engine.close()


async def submitted(client: httpx.AsyncClient, model_input: dict[str, str]) -> str:
    answer = await client.post("/predict", json={"input": model_input}, headers={"Async-Mode": "true"})
    assert answer.status_code == 202
    return str(answer.json()["prediction_id"])
