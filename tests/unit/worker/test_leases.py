import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from tests.fake_clock import eventually
from zypher.engines.contract import Deliveries
from zypher.errors import EngineUnavailable
from zypher.prediction import Delivery
from zypher.worker.attempt import Attempts
from zypher.worker.leases import Leases

PERIOD_S = 0.01


class FarEngine:
    """Answers no extension until it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        self.asked += 1
        await asyncio.shield(self.answer)


async def test_a_late_answer_holds_up_no_extension() -> None:
    engine = FarEngine()
    leases = Leases(cast(Deliveries, engine), Attempts(), PERIOD_S)
    await leases.step()
    await leases.step()
    assert engine.asked == 2
    engine.answer.set_exception(EngineUnavailable("away"))
    await eventually(lambda: not leases.late)
    with pytest.raises(EngineUnavailable):
        await leases.step()


async def test_a_stop_waits_for_no_late_answer() -> None:
    leases = Leases(cast(Deliveries, FarEngine()), Attempts(), PERIOD_S)
    await leases.step()
    await leases.stop()
    await leases.stop()
    assert not leases.late
