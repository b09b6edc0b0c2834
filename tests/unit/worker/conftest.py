"""What the tests of this room share."""

from datetime import UTC, datetime

import pytest

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
