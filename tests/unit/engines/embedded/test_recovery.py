"""What happens while a journal cannot store."""

import pytest

from tests.fake_clock import FakeClock
from zypher.engines.embedded.recovery import Recovery
from zypher.errors import EngineUnavailable


class Tries:
    """What a Recovery under test did, and when."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.at: list[tuple[str, float]] = []
        self.recovery = Recovery(self.clock, self.probe)

    def probe(self) -> None:
        self.at.append(("probe", self.clock.monotonic()))

    def write_again(self) -> None:
        self.at.append(("write", self.clock.monotonic()))


def test_nothing_is_tried_while_all_is_well() -> None:
    tries = Tries()
    tries.recovery.update(None)
    tries.recovery.check()
    tries.clock.advance(100)
    assert tries.at == []


def test_a_problem_refuses_until_something_was_written() -> None:
    tries = Tries()
    tries.recovery.update("The disk is full.")
    with pytest.raises(EngineUnavailable, match="The disk is full"):
        tries.recovery.check()
    tries.recovery.update(None)
    tries.recovery.check()
    assert tries.recovery.problem is None


def test_without_anything_to_write_it_probes_once_a_second() -> None:
    tries = Tries()
    tries.recovery.update("full")
    tries.recovery.update("full")
    for _ in range(3):
        tries.clock.advance(1)
        tries.recovery.update("full")
    assert tries.at == [("probe", 0.5), ("probe", 2.0), ("probe", 3.0)]


def test_what_is_held_is_written_again_instead() -> None:
    tries = Tries()
    tries.recovery.update("full")
    assert tries.recovery.hold(tries.write_again)
    tries.clock.advance(0.5)
    assert tries.at == [("write", 0.5)]
    tries.recovery.update(None)
    tries.clock.advance(100)
    assert tries.at == [("write", 0.5)]


def test_at_the_stop_what_is_held_is_written_once_more() -> None:
    tries = Tries()
    tries.recovery.update("full")
    tries.recovery.hold(tries.write_again)
    tries.recovery.stop()
    assert tries.at == [("write", 0.0)]
    assert not tries.recovery.hold(tries.write_again)
    tries.recovery.update("full")
    tries.clock.advance(100)
    assert tries.at == [("write", 0.0)]
