"""What follows when a replica died with an attempt in it: pure decisions."""

import msgspec

from zypher.prediction import Failure, FailureKind, Outcome, Status

_BACKOFF_CAP_S = 30.0


class Retry(msgspec.Struct, frozen=True):
    """Let the prediction wait for another attempt."""

    delay_s: float = 0.0
    counted: bool = True  # whether the attempt that ended was one


def after_loss(cause: str, attempt: int, max_attempts: int) -> Retry | Outcome:
    """Another attempt at once, or the end of a prediction that lost `max_attempts` replicas."""
    if attempt < max_attempts:
        return Retry()
    died = cause if max_attempts == 1 else f"died {max_attempts} times; the last one {cause}"
    message = f"worker_lost: the process that ran it {died}"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.WORKER_LOST, message))


def runs_alone(attempt: int, max_attempts: int) -> bool:
    """Whether this attempt has a replica for itself.

    When a replica with many attempts dies, nobody knows which of them killed it. The last attempt
    shares its replica with none, so what fails then has only itself to blame.
    """
    return attempt >= max_attempts > 1


def restart_delay_s(failures: int) -> float:
    """How long to wait before starting a replica again after so many failures in a row."""
    return 0.0 if failures == 0 else min(_BACKOFF_CAP_S, 0.5 * 2.0 ** (failures - 1))
