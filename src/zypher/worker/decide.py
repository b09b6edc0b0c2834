"""What follows when an attempt has ended: pure decisions."""

import msgspec

from zypher.prediction import Delivery, Failure, FailureKind, Outcome, Status
from zypher.worker.attempt import Ending, Lost
from zypher.worker.protocol import Failed, Stopped, Succeeded

_BACKOFF_CAP_S = 30.0


class Settle(msgspec.Struct, frozen=True):
    """The prediction ends with this outcome."""

    outcome: Outcome


class Release(msgspec.Struct, frozen=True):
    """The prediction waits for another attempt."""

    counted: bool  # whether the attempt that ended was one
    delay_s: float = 0.0


def decide(ending: Ending, delivery: Delivery, max_attempts: int) -> Settle | Release:
    """What becomes of a prediction whose attempt ended so."""
    match ending:
        case Succeeded():
            return Settle(Outcome(Status.SUCCEEDED, output=ending.output, run_s=ending.run_s))
        case Failed():
            failure = Failure(ending.kind, ending.message)
            return Settle(Outcome(Status.FAILED, failure=failure, run_s=ending.run_s))
        case Stopped():
            return Release(counted=False)
        case Lost(begun=False):
            return Release(counted=False)
        case Lost():
            return _after_loss(ending.cause, delivery.attempt, max_attempts)


def is_exclusive(attempt: int, max_attempts: int) -> bool:
    """Whether this attempt has a replica for itself.

    When a replica with many attempts dies, any of them may have killed it. The last attempt
    shares its replica with none, so what fails then has only itself to blame.
    """
    return attempt >= max_attempts > 1


def restart_delay_s(failures: int) -> float:
    """How long to wait before starting a replica again after so many failures in a row."""
    return 0.0 if failures == 0 else min(_BACKOFF_CAP_S, 0.5 * 2.0 ** (failures - 1))


def _after_loss(cause: str, attempt: int, max_attempts: int) -> Settle | Release:
    """Another attempt at once, or the end of a prediction that lost `max_attempts` replicas."""
    return Release(counted=True) if attempt < max_attempts else Settle(_worker_lost(cause, max_attempts))


def _worker_lost(cause: str, max_attempts: int) -> Outcome:
    died = cause if max_attempts == 1 else f"died {max_attempts} times; the last one {cause}"
    message = f"worker_lost: the process that ran it {died}"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.WORKER_LOST, message))
