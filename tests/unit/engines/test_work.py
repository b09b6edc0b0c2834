from tests.fake_clock import FakeClock
from zypher.engines.redis_streams.work import Work

MODEL = "model"


def test_before_the_first_look_there_may_be_work() -> None:
    assert not Work(FakeClock()).is_none(MODEL)


def test_an_empty_queue_is_read_again_after_a_wake() -> None:
    work = Work(FakeClock())
    work.found_end(MODEL, work.rings(MODEL))
    assert work.is_none(MODEL)
    work.ring(MODEL)
    assert not work.is_none(MODEL)


def test_a_wake_during_a_read_causes_another_read() -> None:
    work = Work(FakeClock())
    rings = work.rings(MODEL)
    work.ring(MODEL)
    work.found_end(MODEL, rings)
    assert not work.is_none(MODEL)
