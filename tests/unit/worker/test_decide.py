"""What follows when an attempt has ended."""

import pytest

from tests.unit.worker.conftest import delivery
from zypher.prediction import PRIORITIES, Failure, FailureKind, Outcome, Status, StopReason
from zypher.worker.attempt import Ending, Lost, Unfit
from zypher.worker.decide import (
    Release,
    Settle,
    decide,
    is_exclusive,
    lanes_of,
    restart_delay_s,
    time_limit_s,
    unfit_delay_s,
)
from zypher.worker.protocol import Failed, Stopped, Succeeded

CAUSE = "was killed by signal SIGSEGV (11)"


def test_an_output_settles() -> None:
    decision = decide(Succeeded(7, b'"x"', 0.5), delivery(), max_attempts=3)
    assert decision == Settle(Outcome(Status.SUCCEEDED, output=b'"x"', run_s=0.5))


def test_a_failure_settles_with_its_kind() -> None:
    failed = Failed(7, FailureKind.INVALID_INPUT, "no such colour", "trace", 0.5)
    decision = decide(failed, delivery(), max_attempts=3)
    failure = Failure(FailureKind.INVALID_INPUT, "no such colour")
    assert decision == Settle(Outcome(Status.FAILED, failure=failure, run_s=0.5))


def test_a_lost_attempt_counts_and_is_made_again_at_once() -> None:
    for attempt in (1, 2):
        lost = Lost(CAUSE, begun=True)
        assert decide(lost, delivery(attempt=attempt), max_attempts=3) == Release(counted=True, delay_s=0)


@pytest.mark.parametrize("ending", [Lost(CAUSE, begun=False), Stopped(7, begun=False, run_s=0.0)])
def test_what_has_not_begun_is_never_charged(ending: Lost | Stopped) -> None:
    assert decide(ending, delivery(attempt=3), max_attempts=3) == Release(counted=False)


@pytest.mark.parametrize(("max_attempts", "died"), [(1, CAUSE), (3, f"died 3 times; the last one {CAUSE}")])
def test_the_last_loss_fails_with_its_cause(max_attempts: int, died: str) -> None:
    decision = decide(Lost(CAUSE, begun=True), delivery(attempt=max_attempts), max_attempts)

    assert isinstance(decision, Settle)
    assert decision.outcome.status is Status.FAILED
    message = f"worker_lost: the process that ran it {died}"
    assert decision.outcome.failure == Failure(FailureKind.WORKER_LOST, message)


@pytest.mark.parametrize("attempt", [1, 3])
@pytest.mark.parametrize(
    ("ending", "run_s"),
    [
        (Stopped(7, begun=True, run_s=0.5), 0.5),
        (Stopped(0, begun=False, run_s=0.0), 0.0),
        (Lost(CAUSE, begun=True), 0.0),
        (Lost(CAUSE, begun=False), 0.0),
        (Unfit("$.input must be a number.", 6, fits_elsewhere=True), 0.0),
    ],
)
def test_a_cancelled_prediction_gets_no_other_attempt(attempt: int, ending: Ending, run_s: float) -> None:
    decision = decide(ending, delivery(attempt=attempt), 3, StopReason.CANCELLED)
    assert decision == Settle(Outcome(Status.CANCELLED, run_s=run_s))


@pytest.mark.parametrize("stop", StopReason)
@pytest.mark.parametrize("ending", [Succeeded(7, b"1", 0.5), Failed(7, FailureKind.MODEL_ERROR, "no", "", 0.5)])
def test_what_was_reached_before_a_stop_counts(ending: Succeeded | Failed, stop: StopReason) -> None:
    assert decide(ending, delivery(), 3, stop) == decide(ending, delivery(), 3)


def test_an_attempt_without_its_lease_is_never_charged() -> None:
    stopped = Stopped(7, begun=True, run_s=0.5)
    assert decide(stopped, delivery(attempt=3), 3, StopReason.LEASE_LOST) == Release(counted=False)


def test_every_eighth_receive_begins_with_the_last_lane() -> None:
    lanes = [lanes_of(receive) for receive in range(1, 17)]
    assert lanes == [*[PRIORITIES] * 7, PRIORITIES[::-1]] * 2


def test_only_the_last_of_several_attempts_is_exclusive() -> None:
    assert [is_exclusive(attempt, max_attempts=3) for attempt in (1, 2, 3)] == [False, False, True]
    assert not is_exclusive(1, max_attempts=1)


def test_restart_delays_grow_up_to_a_bound() -> None:
    assert [restart_delay_s(failures) for failures in (0, 1, 2, 3)] == [0, 0.5, 1, 2]
    assert restart_delay_s(1_000) == 30


@pytest.mark.parametrize("attempt", [1, 3])
def test_what_fits_another_worker_waits_for_it_uncharged(attempt: int) -> None:
    unfit = Unfit("$.input must be a number.", waited_s=6, fits_elsewhere=True)
    assert decide(unfit, delivery(attempt=attempt), max_attempts=3) == Release(counted=False, delay_s=1)


def test_what_fits_no_worker_fails_with_a_sentence() -> None:
    decision = decide(Unfit("$.input must be a number.", 6, fits_elsewhere=False), delivery(), max_attempts=3)
    assert isinstance(decision, Settle)
    failure = decision.outcome.failure
    assert failure is not None
    assert failure.kind is FailureKind.INVALID_INPUT
    assert failure.message.startswith("The model's types have changed")
    assert failure.message.endswith(": $.input must be a number.")


def test_the_delay_of_another_revision_grows_to_a_limit() -> None:
    assert [unfit_delay_s(waited_s) for waited_s in (-5, 0, 1, 4, 1e9)] == [0.25, 0.25, 0.5, 1, 1]


@pytest.mark.parametrize(
    ("asked_s", "set_s", "stated_s", "limit_s"),
    [
        (None, None, None, 3600),
        (5, None, None, 5),
        (5000, None, None, 3600),
        (None, None, 30, 30),
        (None, 60, 30, 60),
        (40, 60, 30, 40),
        (None, 0, 30, None),
        (None, None, 0, None),
        (7, 0, None, 7),
    ],
)
def test_the_shortest_limit_that_holds_counts(
    asked_s: float | None, set_s: float | None, stated_s: float | None, limit_s: float | None
) -> None:
    assert time_limit_s(asked_s, set_s, stated_s) == limit_s
