"""Which fault strikes when."""

from collections import Counter

from tests.chaos.schedule import schedule

FAULTS = ("a", "b", "c")


def test_a_seed_always_gives_the_same_strikes() -> None:
    assert schedule(1, 30, FAULTS, 1.5) == schedule(1, 30, FAULTS, 1.5)
    assert schedule(1, 30, FAULTS, 1.5) != schedule(2, 30, FAULTS, 1.5)


def test_faults_happen_in_order_in_time_and_number() -> None:
    strikes = schedule(3, 300, FAULTS, 1.5)
    instants = [strike.at_s for strike in strikes]
    assert instants == sorted(instants)
    assert instants[-1] < 300
    assert 150 < len(strikes) < 270


def test_each_fault_happens_before_any_repeats() -> None:
    for seed in range(20):
        times = Counter(strike.fault for strike in schedule(seed, 30, FAULTS, 1.5))
        assert max(times.values()) - min(times.values()) <= 1
