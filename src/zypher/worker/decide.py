"""What follows when an attempt has ended: pure decisions."""

import msgspec

from zypher.prediction import Delivery, Failure, FailureKind, Outcome, Status
from zypher.worker.attempt import Ending, Lost, Unfit
from zypher.worker.protocol import Failed, Stopped, Succeeded

_BACKOFF_CAP_S = 30.0
_FIRST_UNFIT_DELAY_S = 0.25
_LONGEST_UNFIT_DELAY_S = 10.0


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
        case Stopped() | Lost(begun=False):
            return Release(counted=False)
        case Lost():
            return _after_loss(ending.cause, delivery.attempt, max_attempts)
        case Unfit(fits_elsewhere=True):
            return Release(counted=False, delay_s=unfit_delay_s(ending.waited_s))
        case Unfit():
            return Settle(_fits_nowhere(ending.problem))


def is_exclusive(attempt: int, max_attempts: int) -> bool:
    """Whether this attempt has a replica for itself.

    When a replica with many attempts dies, any of them may have killed it. The last attempt
    shares its replica with none, so what fails then has only itself to blame.
    """
    return attempt >= max_attempts > 1


def restart_delay_s(failures: int) -> float:
    """How long to wait before starting a replica again after so many failures in a row."""
    return 0.0 if failures == 0 else min(_BACKOFF_CAP_S, 0.5 * 2.0 ** (failures - 1))


def unfit_delay_s(waited_s: float) -> float:
    """How long a prediction that fits another revision waits for its worker: as long as half its life so far."""
    return min(_LONGEST_UNFIT_DELAY_S, max(_FIRST_UNFIT_DELAY_S, waited_s / 2))


def _after_loss(cause: str, attempt: int, max_attempts: int) -> Settle | Release:
    """Another attempt at once, or the end of a prediction that lost `max_attempts` replicas."""
    return Release(counted=True) if attempt < max_attempts else Settle(_worker_lost(cause, max_attempts))


def _worker_lost(cause: str, max_attempts: int) -> Outcome:
    died = cause if max_attempts == 1 else f"died {max_attempts} times; the last one {cause}"
    message = f"worker_lost: the process that ran it {died}"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.WORKER_LOST, message))


def _fits_nowhere(problem: str) -> Outcome:
    message = f"The model's types have changed since this was accepted, and no worker that runs takes it: {problem}"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.INVALID_INPUT, message))
