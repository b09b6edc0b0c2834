"""What a worker takes, and in which order."""

from datetime import timedelta

from tests.contract.phrases import turns
from tests.fake_clock import eventually
from tests.unit.worker.house import House
from zypher.prediction import Lane, Options, Status
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


async def test_what_is_received_after_its_deadline_expires(house: House) -> None:
    let = house.engine.hold("receive")
    now = house.clock.now()
    await house.submit("late", options=Options(deadline=now + timedelta(seconds=5)))
    await house.submit("in time", options=Options(deadline=now + timedelta(seconds=9)))
    await turns()
    house.clock.advance(5)
    let.set()
    ended = await house.engine.get("late", None)
    assert ended is not None
    assert ended.status is Status.EXPIRED
    await house.running("in time")
    assert [each.delivery.message.prediction_id for each in house.made[0].running] == ["in time"]
    await eventually(lambda: house.settled() == 1)
