"""What can happen to a service. Each fault strikes, lasts a little and is over when it returns."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import TypeVar

from tests.chaos.damaged_page import damage_a_page
from tests.chaos.embedded import EmbeddedStage
from tests.chaos.lost_keys import KINDS, lose
from tests.chaos.member import Member
from tests.chaos.redis_streams import BASE, RedisStage
from tests.chaos.stage import LEASE_S, Stage

_DOWN_S = 1.0  # at most, until what was killed is started again
_AWAY_S = 2.0
_AWAKE_S = 1.0  # at least, before it is frozen again
_LOOK_AGAIN_S = 0.05
_DRAIN_S = 20.0  # more than --drain-timeout-s allows is a fault of the service

S = TypeVar("S", bound=Stage)
Fault = Callable[[S, Random], Coroutine[None, None, None]]


async def kill_server(stage: Stage, chance: Random) -> None:
    async with stage.victim(stage.servers, chance) as server:
        await _kill(stage, "kill server", server, chance)


async def kill_worker(stage: Stage, chance: Random) -> None:
    async with stage.victim(stage.workers, chance) as worker:
        await _kill(stage, "kill worker", worker, chance)


async def kill_everything(stage: Stage, chance: Random) -> None:
    """As when the machine loses its power; what Redis holds is on another one."""
    async with contextlib.AsyncExitStack() as victims:
        members = [await victims.enter_async_context(stage.victim([member], chance)) for member in stage.members()]
        stage.struck("kill everything", frozenset(pid for member in members for pid in member.pids()))
        for member in members:
            member.signal(signal.SIGKILL)
        for member in members:
            await asyncio.to_thread(member.wait, _DRAIN_S)


async def kill_replica(stage: Stage, chance: Random) -> None:
    """The worker itself is to start another."""
    async with stage.victim(stage.workers, chance) as worker:
        await stage.loaded(worker)  # a model whose first replica dies while it loads ends its worker
        if not (replicas := worker.children()):
            return
        replica = chance.choice(replicas)
        stage.struck("kill replica", frozenset({replica}))
        os.kill(replica, signal.SIGKILL)


async def drain_worker(stage: Stage, chance: Random) -> None:
    """As an operator stops it; it is to end cleanly and in time."""
    async with stage.victim(stage.workers, chance) as worker:
        await stage.loaded(worker)  # before that it may not listen to signals yet
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
        await asyncio.sleep(_AWAKE_S)


async def stop_replica(stage: Stage, chance: Random) -> None:
    """It is stopped for longer than a lease, and goes on; its worker is alive, so no prediction runs elsewhere."""
    async with stage.victim(stage.workers, chance) as worker:
        await stage.loaded(worker)
        if not (replicas := worker.children()):
            return
        replica = chance.choice(replicas)
        stage.struck("stop replica", frozenset({replica}))
        with contextlib.suppress(ProcessLookupError):
            os.kill(replica, signal.SIGSTOP)
            await asyncio.sleep(LEASE_S * chance.uniform(1.2, 2))
            os.kill(replica, signal.SIGCONT)


async def hold_gil(stage: Stage, chance: Random) -> None:
    """A run holds the GIL for good, until its replica is killed long after a lease would have ended."""
    await _trick(stage, "hold", LEASE_S * chance.uniform(1.2, 2))


async def fork_child(stage: Stage, chance: Random) -> None:
    """A run leaves a child that lives on with all descriptors when its replica is killed."""
    await _trick(stage, "fork", chance.uniform(0.1, 1))


async def _trick(stage: Stage, name: str, lasts_s: float) -> None:
    async with stage.tricks:
        trick, tricked = stage.folder / f"trick.{name}", stage.folder / "tricked"
        trick.touch()
        gives_up_at = time.monotonic() + _DRAIN_S
        while not tricked.exists() and time.monotonic() < gives_up_at:
            await asyncio.sleep(_LOOK_AGAIN_S)
        trick.unlink(missing_ok=True)
        if not tricked.exists():
            return
        replica = int(tricked.read_text())
        tricked.unlink()
        stage.struck({"hold": "hold GIL", "fork": "fork child"}[name], frozenset({replica}))
        await asyncio.sleep(lasts_s)
        with contextlib.suppress(ProcessLookupError):  # another fault was faster
            os.kill(replica, signal.SIGKILL)


async def damage_page(stage: EmbeddedStage, chance: Random) -> None:
    """While the server is down, a page of its data file is overwritten."""
    async with stage.victim(stage.servers, chance) as server:
        await stage.loaded(server)
        server.signal(signal.SIGKILL)
        await asyncio.to_thread(server.wait, _DRAIN_S)
        stage.struck("damage page", server.pids())
        stage.destroyed |= await asyncio.to_thread(damage_a_page, stage.database, chance)


async def _kill(stage: Stage, fault: str, member: Member, chance: Random) -> None:
    stage.struck(fault, member.pids())
    member.signal(signal.SIGKILL)
    await asyncio.to_thread(member.wait, _DRAIN_S)
    await asyncio.sleep(chance.uniform(0, _DOWN_S))


_EVERYWHERE: Mapping[str, Fault[Stage]] = {
    "kill server": kill_server,
    "kill replica": kill_replica,
    "drain worker": drain_worker,
    "freeze worker": freeze_worker,
    "stop replica": stop_replica,
    "hold GIL": hold_gil,
    "fork child": fork_child,
}
EMBEDDED: Mapping[str, Fault[EmbeddedStage]] = {**_EVERYWHERE, "damage page": damage_page}


async def restart_redis(stage: RedisStage, chance: Random) -> None:
    """It crashes and comes back with everything that it had answered for."""
    async with stage.network:
        stage.struck("restart Redis")
        await asyncio.to_thread(stage.redis.kill)
        await asyncio.sleep(chance.uniform(0, _AWAY_S))
        await asyncio.to_thread(stage.redis.start)


async def cut_connections(stage: RedisStage, chance: Random) -> None:
    """All of them, a few times in a row; new ones are made at once."""
    async with stage.network:
        stage.struck("cut connections")
        for _ in range(chance.randint(1, 4)):
            await stage.proxy.cut()
            await asyncio.sleep(chance.uniform(0, 0.3))


async def part_from_redis(stage: RedisStage, chance: Random) -> None:
    """Nobody reaches it for a while, longer than a lease at times."""
    async with stage.network:
        stage.struck("part from Redis")
        stage.proxy.refusing = True
        await stage.proxy.cut()
        await asyncio.sleep(chance.uniform(0.2, 2 * LEASE_S))
        stage.proxy.refusing = False


async def delay_connections(stage: RedisStage, chance: Random) -> None:
    async with stage.network:
        stage.struck("delay connections")
        stage.proxy.delay_s = chance.uniform(0.02, 0.3)
        await asyncio.sleep(chance.uniform(0.5, 2))
        stage.proxy.delay_s = 0


async def swallow_answers(stage: RedisStage, chance: Random) -> None:
    """Redis does what it is asked and nobody hears of it; then the connections end."""
    async with stage.network:
        stage.struck("swallow answers")
        stage.proxy.swallowing = True
        await asyncio.sleep(chance.uniform(0.05, 1))
        await stage.proxy.cut()
        stage.proxy.swallowing = False


async def deliver_twice(stage: RedisStage, chance: Random) -> None:
    """Every lease lapses at once, though its holder is alive and goes on."""
    async with stage.network:
        while not await asyncio.to_thread(stage.lapse_leases):
            await asyncio.sleep(_LOOK_AGAIN_S)
        stage.struck("deliver twice")


async def cut_off_worker(stage: RedisStage, chance: Random) -> None:
    """One worker is without Redis for longer than its leases; the others are not, and run its predictions."""
    async with stage.cut_off:
        stage.struck("cut off worker")
        stage.way_of_first.refusing = True
        await stage.way_of_first.cut()
        await asyncio.sleep(LEASE_S * chance.uniform(1.2, 2.5))
        stage.way_of_first.refusing = False


async def lose_keys(stage: RedisStage, chance: Random) -> None:
    """One part of each kind that Redis keeps is gone or is noise."""
    async with stage.network:
        stage.struck("lose keys")
        for kind in chance.sample(list(KINDS), len(KINDS)):
            with stage.redis.client() as client:
                stage.destroyed |= await asyncio.to_thread(lose, client, BASE, kind, chance)
            await asyncio.sleep(chance.uniform(0.05, 0.3))


REDIS: Mapping[str, Fault[RedisStage]] = {
    **_EVERYWHERE,
    "kill worker": kill_worker,
    "kill everything": kill_everything,
    "restart Redis": restart_redis,
    "cut connections": cut_connections,
    "part from Redis": part_from_redis,
    "delay connections": delay_connections,
    "swallow answers": swallow_answers,
    "deliver twice": deliver_twice,
    "cut off worker": cut_off_worker,
    "lose keys": lose_keys,
}
