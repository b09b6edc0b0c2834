"""How long a delivery is ours when the whole process stands still."""

from tests.fake_clock import FakeClock
from zypher.engines.embedded.entry import Entry
from zypher.engines.embedded.leases import Leases

LEASE_S = 30.0


def leased(clock: FakeClock, count: int) -> tuple[Leases, list[str], list[str]]:
    """Leases of so many entries a second apart, their receipts, and the ids of those that are lost."""
    lost: list[str] = []
    leases = Leases(clock, LEASE_S, lambda entry: lost.append(entry.prediction_id))
    entries = [Entry(f"id{number}", "Model", clock.now()) for number in range(count)]
    for entry in entries:
        leases.begin([entry])
        clock.advance(1)
    return leases, [entry.lease.receipt for entry in entries if entry.lease is not None], lost


def test_a_lease_that_nobody_extends_ends() -> None:
    clock = FakeClock()
    leases, (first, second), lost = leased(clock, 2)
    clock.advance(LEASE_S - 2)
    assert lost == ["id0"]
    clock.advance(1)
    assert lost == ["id0", "id1"]
    assert not leases.extend(first)
    assert not leases.extend(second)


def test_no_lease_ends_because_the_process_stood_still() -> None:
    clock = FakeClock()
    leases, receipts, lost = leased(clock, 2)
    clock.stand_still(10 * LEASE_S)
    clock.advance(0)
    assert lost == []
    assert [leases.extend(receipt) for receipt in receipts] == [True, True]
    leases.stop()


def test_after_standing_still_a_lease_lasts_as_long_as_ever() -> None:
    clock = FakeClock()
    _, _, lost = leased(clock, 2)
    clock.stand_still(10 * LEASE_S)
    clock.advance(LEASE_S - 1)
    assert lost == []
    clock.advance(1)
    assert lost == ["id0", "id1"]
