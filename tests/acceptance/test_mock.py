"""The built-in mock itself, with its ten to seventeen seconds: many predictions at once."""

import asyncio
import time

import httpx
import pytest

from tests.conftest import Serve

CALLERS = 60
SHORTEST_S = 10.0
LONGEST_S = 25.0  # 17, and the rest for a busy machine; one after the other they would take 27 minutes


@pytest.mark.timeout(60)
async def test_many_mocks_at_once_take_as_long_as_one(serve: Serve) -> None:
    server = serve()
    limits = httpx.Limits(max_connections=2 * CALLERS)
    async with httpx.AsyncClient(base_url=server.url, timeout=30, limits=limits, trust_env=False) as client:
        waited = await asyncio.gather(
            *(_synchronous(client, f"sync {number}") for number in range(CALLERS)),
            *(_asynchronous(client, f"async {number}") for number in range(CALLERS)),
        )
    assert min(waited) >= SHORTEST_S
    assert max(waited) <= LONGEST_S


async def _synchronous(client: httpx.AsyncClient, text: str) -> float:
    began = time.monotonic()
    response = await client.post("/predict", json={"input": text})
    _assert_right(response.json(), text)
    return time.monotonic() - began


async def _asynchronous(client: httpx.AsyncClient, text: str) -> float:
    began = time.monotonic()
    accepted = await client.post("/predict", json={"input": text}, headers={"Async-Mode": "true"})
    assert accepted.status_code == 202
    assert time.monotonic() - began < SHORTEST_S / 2
    response = await client.get(accepted.headers["location"], params={"wait": 25})
    assert response.status_code == 200
    _assert_right(response.json()["output"], text)
    return time.monotonic() - began


def _assert_right(output: dict[str, str], text: str) -> None:
    assert output == {"input": text, "result": output["result"]}
    assert 1000 <= int(output["result"]) <= 20000
