"""What can happen to a service. Each fault strikes, lasts a little and is over when it returns."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TypeVar

from tests.chaos.stage import LEASE_S, Stage

_DOWN_S = 1.0  # at most, until what was killed is started again
_DRAIN_S = 20.0  # more than --drain-timeout-s allows is a fault of the service

S = TypeVar("S", bound=Stage)
Fault = Callable[[S, Random], Awaitable[None]]


async def kill_server(stage: Stage, chance: Random) -> None:
    async with stage.victim(stage.servers, chance) as server:
        stage.struck("kill server", server.pids())
        server.signal(signal.SIGKILL)
        await asyncio.to_thread(server.wait, _DRAIN_S)
        await asyncio.sleep(chance.uniform(0, _DOWN_S))


async def kill_replica(stage: Stage, chance: Random) -> None:
    """The worker itself is to start another."""
    async with stage.victim(stage.workers, chance) as worker:
        replica = chance.choice(await stage.replicas(worker))
        stage.struck("kill replica", frozenset({replica}))
        os.kill(replica, signal.SIGKILL)


async def drain_worker(stage: Stage, chance: Random) -> None:
    """As an operator stops it; it is to end cleanly and in time."""
    async with stage.victim(stage.workers, chance) as worker:
        await stage.replicas(worker)  # before it has any, it may not listen to signals yet
        stage.struck("drain worker", worker.pids())
        worker.signal(signal.SIGTERM)
        try:
            code = await asyncio.to_thread(worker.wait, _DRAIN_S)
        except subprocess.TimeoutExpired:
            stage.strange.append(f"{worker.name} did not drain in {_DRAIN_S} s: {worker.printed()}")
            worker.signal(signal.SIGKILL)
            return
        if code != 0:
            stage.strange.append(f"{worker.name} drained with exit code {code}: {worker.printed()}")
        await asyncio.sleep(chance.uniform(0, _DOWN_S))


async def freeze_worker(stage: Stage, chance: Random) -> None:
    """It sleeps past its leases and wakes as if nothing had happened; its replicas go on."""
    async with stage.victim(stage.workers, chance) as worker:
        stage.struck("freeze worker", worker.pids())
        worker.signal(signal.SIGSTOP)
        await asyncio.sleep(LEASE_S * chance.uniform(1.2, 2))
        worker.signal(signal.SIGCONT)


EMBEDDED: Mapping[str, Fault[Stage]] = {
    "kill server": kill_server,
    "kill replica": kill_replica,
    "drain worker": drain_worker,
    "freeze worker": freeze_worker,
}
