"""What a worker takes, and in which order."""

from datetime import timedelta

from tests.fake_clock import eventually
from tests.unit.worker.house import House
from zypher.prediction import Lane, Options
from zypher.worker.attempt import Attempt


async def next_running(house: House) -> Attempt:
    """The only attempt that runs, once there is one."""
    await eventually(lambda: house.made[0].running)
    return house.made[0].running[0]


async def test_no_lane_is_starved() -> None:
    house = House(slots=1)
    await house.open()
    await house.submit("first")
    await house.running("first")
    await house.submit("low", options=Options(lane=Lane.LOW))
    await house.submit(*(f"high {number}" for number in range(20)), options=Options(lane=Lane.HIGH))
    order: list[str] = []
    for _ in range(12):
        attempt = await next_running(house)
        order.append(attempt.delivery.message.prediction_id)
        house.made[0].end(attempt)
    assert order[0] == "first"
    assert 1 < order.index("low") <= 8
    await house.close()


async def test_a_wrong_date_of_a_worker_ends_nothing(house: House) -> None:
    await house.submit("a", options=Options(deadline=house.clock.now() + timedelta(seconds=5)))
    house.clock.set_date(timedelta(days=2))
    (attempt,) = await house.running("a")
    assert attempt.ending is None
