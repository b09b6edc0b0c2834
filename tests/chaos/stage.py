"""The service's processes on one machine: started, watched, started again."""

import asyncio
import contextlib
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from random import Random

import httpx

from tests.asking import target
from tests.chaos.member import Member
from tests.chaos.runs import Struck

LEASE_S = 2.0
MODEL = target("checkable.py:Checkable")
LEASE = ("--lease-s", str(LEASE_S))
WORK = ("--max-attempts", "6", "--drain-timeout-s", "0.5")

_READY_S = 40.0
_STOP_S = 30.0
_LOOK_AGAIN_S = 0.05


class Stage(ABC):
    """What faults act on. Every process stays up unless a fault has it in hand."""

    title: str
    servers: Sequence[Member]
    workers: Sequence[Member]  # those that have replicas
    urls: Sequence[str]

    def __init__(self, directory: Path) -> None:
        self.folder = directory / "noted"  # of what the model notes
        self.tricks = asyncio.Lock()  # held by a fault that a run of the model plays itself
        self.destroyed: set[str] = set()  # ids of which a fault took away what was stored
        self.strikes: list[Struck] = []
        self.strange: list[str] = []  # what no process should have done

    @abstractmethod
    def up(self) -> "contextlib.AbstractAsyncContextManager[None]":
        """Everything runs inside, and nothing of it is left afterwards."""

    @abstractmethod
    async def left_over(self) -> list[str]:
        """What the engine still holds and should not, when every prediction has ended."""

    @abstractmethod
    async def attempts(self) -> Mapping[str, int]:
        """By id, how many attempts the engine has counted, as far as it can be read."""

    async def ready(self) -> None:
        """Return once every server would run a prediction at once."""
        try:
            async with httpx.AsyncClient(trust_env=False, verify=False) as client, asyncio.timeout(_READY_S):
                await asyncio.gather(*(_ready(client, url) for url in self.urls))
        except TimeoutError:
            said = "\n".join(f"{member.name}, {member.exit_code()}: {member.printed()}" for member in self.members())
            raise AssertionError(f"Not ready in {_READY_S} s:\n{said}") from None

    async def restart(self) -> None:
        """Kill everything that is ours and start it again."""
        for member in self.members():
            member.signal(signal.SIGKILL)
        for member in self.members():
            await asyncio.to_thread(member.wait, _STOP_S)
        for member in self.members():
            member.start()
        await self.ready()

    def members(self) -> list[Member]:
        """The servers and the workers, each once."""
        return list(dict.fromkeys([*self.servers, *self.workers]))

    def struck(self, fault: str, pids: frozenset[int] = frozenset()) -> None:
        """Note that a fault strikes now."""
        self.strikes.append(Struck(fault, time.monotonic(), pids))

    @contextlib.asynccontextmanager
    async def victim(self, members: Sequence[Member], chance: Random) -> AsyncGenerator[Member]:
        """One that no other fault has in hand; it runs again afterwards."""
        while not (free := [member for member in members if not member.struck]):
            await asyncio.sleep(_LOOK_AGAIN_S)
        member = chance.choice(free)
        member.struck = True
        try:
            yield member
        finally:
            if member.exit_code() is not None:
                member.start()
            member.struck = False

    async def loaded(self, worker: Member) -> None:
        """Return once it has loaded the model."""
        gives_up_at = time.monotonic() + _READY_S
        while not worker.has_loaded():
            await asyncio.sleep(_LOOK_AGAIN_S)
            self._look_after(worker)
            assert time.monotonic() < gives_up_at, f"{worker.name} has not loaded its model:\n{worker.printed()}"

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        """Inside, each process that ends by itself is noted and started again."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.wait({watch})

    async def _watch(self) -> None:
        while True:
            for member in self.members():
                if not member.struck:
                    self._look_after(member)
            await asyncio.sleep(_LOOK_AGAIN_S)

    def excuses(self, member: Member, code: int) -> bool:
        """Whether it may end by itself like this."""
        return False

    def _look_after(self, member: Member) -> None:
        code = member.exit_code()
        if code is None:
            return
        if not self.excuses(member, code):
            self.strange.append(f"{member.name} ended by itself with {code}: {member.printed()[-600:]}")
        member.start()

    def start_all(self) -> None:
        for member in self.members():
            member.start()

    def close_all(self) -> None:
        """End every process; note the replicas that outlived theirs."""
        for member in self.members():
            if orphans := member.close():
                self.strange.append(f"{member.name} left replicas behind: {orphans}")


async def _ready(client: httpx.AsyncClient, url: str) -> None:
    while True:
        with contextlib.suppress(httpx.TransportError):
            if (await client.get(f"{url}/healthz/ready?run")).status_code == 200:
                return
        await asyncio.sleep(_LOOK_AGAIN_S)
