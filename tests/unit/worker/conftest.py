"""What the tests of this room share."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from tests.unit.worker.house import House
from zypher.prediction import Delivery, Message
from zypher.worker.attempt import Attempt, Endings


def delivery(prediction_id: str = "id", *, attempt: int = 1, unbegun: int = 1) -> Delivery:
    message = Message(prediction_id, "m", b"1", datetime(2026, 1, 2, tzinfo=UTC))
    return Delivery(message, attempt, f"receipt of {prediction_id}", unbegun)


def attempts(count: int) -> list[Attempt]:
    return [Attempt(delivery(f"id{number}")) for number in range(count)]


@pytest.fixture
async def endings() -> Endings:
    return Endings()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """One replica with two slots, which has loaded its model."""
    house = House()
    await house.open()
    yield house
    await house.close()
