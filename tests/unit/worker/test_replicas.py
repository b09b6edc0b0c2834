"""How a worker's replicas end."""

import asyncio

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.fake_replica import FakeReplica
from zypher.worker.attempt import Endings
from zypher.worker.replicas import Replicas
from zypher.worker.slots import Slots


class Hanging:
    """Replicas that end when they are killed, and not before."""

    def __init__(self) -> None:
        self.made: list[FakeReplica] = []
        self._endings = Endings()
        self.replicas = Replicas(self._make, 2, Slots(self._endings, 3), FakeClock())

    async def start(self) -> None:
        self.replicas.start()
        await eventually(lambda: len(self.replicas.loaded) == 2)

    def _make(self, number: int) -> FakeReplica:
        self.made.append(FakeReplica(self._endings, number=number))
        self.made[-1].hangs = True
        return self.made[-1]


@pytest.mark.parametrize("stops_first", [True, False])
async def test_replicas_in_a_hurry_are_killed(stops_first: bool) -> None:
    hanging = Hanging()
    await hanging.start()
    if stops_first:
        stopping = asyncio.ensure_future(hanging.replicas.stop())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not stopping.done()
        hanging.replicas.hurry()
        await stopping
    else:
        hanging.replicas.hurry()
        assert len(hanging.made) == 2
        await hanging.replicas.stop()
    assert [await each.ended() for each in hanging.made] == ["was killed by signal SIGKILL (9)"] * 2
