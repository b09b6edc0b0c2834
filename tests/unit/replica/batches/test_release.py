"""When a batch goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.replica.batches.release import BatchLimits, batch_limits, release
from zypher.worker.protocol import BatchReason

CARD = ModelCard("m", "", {}, {}, {}, 1, max_batch_size=8, max_batch_wait_ms=20)


@pytest.mark.parametrize(
    ("waiting", "oldest_s", "expected"),
    [
        (8, 0.0, BatchReason.FULL),
        (9, 1.0, BatchReason.FULL),
        (1, 0.02, BatchReason.WAITED),
        (7, 0.03, BatchReason.WAITED),
        (7, 0.005, 0.015),
    ],
)
def test_a_full_or_an_old_batch_goes(waiting: int, oldest_s: float, expected: object) -> None:
    assert release(waiting, oldest_s, BatchLimits(8, 0.02)) == pytest.approx(expected)


@given(st.integers(1, 10_000), st.floats(0, 3600), st.integers(2, 10_000), st.floats(0, 3600))
def test_none_waits_longer_than_stated(waiting: int, oldest_s: float, size: int, wait_s: float) -> None:
    match release(waiting, oldest_s, BatchLimits(size, wait_s)):
        case BatchReason.FULL:
            assert waiting >= size
        case BatchReason():
            assert oldest_s >= wait_s
        case left_s:
            assert 0 < left_s <= wait_s - oldest_s


def test_without_a_wait_a_lone_one_goes_at_once() -> None:
    assert release(1, 0.0, BatchLimits(32, 0.0)) is BatchReason.WAITED


def test_flags_override_what_the_model_states() -> None:
    assert batch_limits(CARD, has_batches=True, size=None, wait_s=None) == BatchLimits(8, 0.02)
    assert batch_limits(CARD, has_batches=True, size=2, wait_s=0.5) == BatchLimits(2, 0.5)
    assert batch_limits(CARD, has_batches=True, size=1, wait_s=0.0) == BatchLimits(1, 0.0)


@pytest.mark.parametrize(("size", "wait_s"), [(8, None), (None, 0.0)])
def test_flags_without_predict_batch_are_refused(size: int | None, wait_s: float | None) -> None:
    with pytest.raises(TargetError, match="has no `predict_batch`: give it one, or leave out --max-batch-size"):
        batch_limits(CARD, has_batches=False, size=size, wait_s=wait_s)
