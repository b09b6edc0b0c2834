"""One timer for many instants."""

from tests.fake_clock import FakeClock
from zypher.engines.embedded.alarm import Alarm


def test_it_rings_at_the_earliest_instant_once() -> None:
    clock, rung = FakeClock(), list[float]()
    alarm = Alarm(clock, lambda: rung.append(clock.monotonic()))
    for at in (5.0, 3.0, 4.0):
        alarm.set(at)
    assert clock.pending == 1
    clock.advance(10)
    assert rung == [3.0]
    assert clock.pending == 0


def test_it_can_be_set_anew_while_it_rings() -> None:
    clock, rung = FakeClock(), list[float]()

    def ring() -> None:
        rung.append(clock.monotonic())
        if len(rung) < 3:
            alarm.set(clock.monotonic() + 1)

    alarm = Alarm(clock, ring)
    alarm.set(1)
    clock.advance(10)
    assert rung == [1, 2, 3]


def test_a_stopped_one_is_silent() -> None:
    clock, rung = FakeClock(), list[float]()
    alarm = Alarm(clock, lambda: rung.append(0))
    alarm.set(1)
    alarm.stop()
    alarm.stop()
    clock.advance(2)
    assert rung == []
