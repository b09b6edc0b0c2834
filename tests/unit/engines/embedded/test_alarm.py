"""One timer for many instants."""

from tests.fake_clock import FakeClock
from zypher.engines.embedded.memory.alarm import Alarm


def test_it_is_due_once_at_the_earliest_instant() -> None:
    clock, calls = FakeClock(), list[float]()
    alarm = Alarm(clock, lambda: calls.append(clock.monotonic()))
    for at in (5.0, 3.0, 4.0):
        alarm.set(at)
    assert clock.pending == 1
    clock.advance(10)
    assert calls == [3.0]
    assert clock.pending == 0


def test_it_can_be_set_anew_when_it_is_due() -> None:
    clock, calls = FakeClock(), list[float]()

    def due() -> None:
        calls.append(clock.monotonic())
        if len(calls) < 3:
            alarm.set(clock.monotonic() + 1)

    alarm = Alarm(clock, due)
    alarm.set(1)
    clock.advance(10)
    assert calls == [1, 2, 3]


def test_a_stopped_one_is_never_due() -> None:
    clock, calls = FakeClock(), list[float]()
    alarm = Alarm(clock, lambda: calls.append(0))
    alarm.set(1)
    alarm.stop()
    alarm.stop()
    clock.advance(2)
    assert calls == []


def test_a_stopped_one_cannot_be_set() -> None:
    clock, calls = FakeClock(), list[float]()
    alarm = Alarm(clock, lambda: calls.append(0))
    alarm.stop()
    alarm.set(1)
    clock.advance(2)
    assert calls == []
