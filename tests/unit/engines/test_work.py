from tests.fake_clock import FakeClock
from zypher.engines.redis_streams.work import Work

MODEL = "model"


def test_before_the_first_look_there_may_be_work() -> None:
    assert not Work(FakeClock()).is_none(MODEL)


def test_after_a_look_that_found_the_end_there_is_none_until_it_rings() -> None:
    work = Work(FakeClock())
    work.found_end(MODEL, work.rings(MODEL))
    assert work.is_none(MODEL)
    work.ring(MODEL)
    assert not work.is_none(MODEL)


def test_what_rang_during_a_look_may_have_become_ready_after_it() -> None:
    work = Work(FakeClock())
    rings = work.rings(MODEL)
    work.ring(MODEL)
    work.found_end(MODEL, rings)
    assert not work.is_none(MODEL)
