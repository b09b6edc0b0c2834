"""The clock that other tests rely on."""

import asyncio

from tests.fake_clock import FakeClock, eventually


def test_timers_fire_in_order_at_their_instants() -> None:
    clock, calls = FakeClock(), list[tuple[str, float]]()

    def call(name: str, delay_s: float) -> None:
        clock.call_later(delay_s, lambda: calls.append((name, clock.monotonic())))

    call("second", 2)
    call("first", 1)
    call("also second", 2)
    clock.call_later(1.5, lambda: call("from a call", 0.2))
    call("later", 10)
    clock.advance(5)
    assert calls == [("first", 1), ("from a call", 1.7), ("second", 2), ("also second", 2)]
    assert (clock.monotonic(), clock.pending) == (5, 1)


def test_a_cancelled_call_is_not_made() -> None:
    clock, calls = FakeClock(), list[int]()
    clock.call_later(1, lambda: calls.append(1)).cancel()
    clock.advance(2)
    assert calls == []


async def test_a_sleeper_wakes_when_time_passes() -> None:
    clock = FakeClock()
    started_at = clock.now()
    sleeper = asyncio.create_task(clock.sleep(3))
    await eventually(lambda: clock.pending)
    clock.advance(3)
    await sleeper
    assert (clock.now() - started_at).total_seconds() == 3
