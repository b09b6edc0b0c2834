"""What follows the loss of a replica."""

import pytest

from zypher.prediction import FailureKind, Outcome, Status
from zypher.worker.retry import Retry, after_loss, restart_delay_s, runs_alone

CAUSE = "was killed by signal SIGSEGV (11)"


def test_a_lost_attempt_is_made_again_at_once() -> None:
    assert after_loss(CAUSE, attempt=1, max_attempts=3) == Retry(delay_s=0)
    assert after_loss(CAUSE, attempt=2, max_attempts=3) == Retry(delay_s=0)


@pytest.mark.parametrize(("max_attempts", "died"), [(1, CAUSE), (3, f"died 3 times; the last one {CAUSE}")])
def test_the_last_loss_fails_with_its_cause(max_attempts: int, died: str) -> None:
    outcome = after_loss(CAUSE, attempt=max_attempts, max_attempts=max_attempts)

    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.FAILED
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.WORKER_LOST
    assert outcome.failure.message == f"worker_lost: the process that ran it {died}"


def test_only_the_last_of_several_attempts_runs_alone() -> None:
    assert [runs_alone(attempt, max_attempts=3) for attempt in (1, 2, 3)] == [False, False, True]
    assert not runs_alone(1, max_attempts=1)


def test_restart_delays_grow_up_to_a_bound() -> None:
    assert [restart_delay_s(failures) for failures in (0, 1, 2, 3)] == [0, 0.5, 1, 2]
    assert restart_delay_s(1_000) == 30
