"""What a worker decides: pure functions."""

import msgspec

from zypher.prediction import PRIORITIES, Delivery, Failure, FailureKind, Lane, Outcome, Status, StopReason
from zypher.worker.attempt import Ending, Lost, Unfit
from zypher.worker.protocol import Failed, Stopped, Succeeded

_LOW_FIRST = 8  # of so many receives one begins with the lane of the lowest priority
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


def decide(ending: Ending, delivery: Delivery, max_attempts: int, stop: StopReason | None = None) -> Settle | Release:
    """What becomes of a prediction whose attempt ended so; `stop` is why it was to end before its time, if it was.

    An output or a failure counts, also after a stop.
    """
    match ending:
        case Succeeded():
            return Settle(Outcome(Status.SUCCEEDED, output=ending.output, run_s=ending.run_s))
        case Failed():
            failure = Failure(ending.kind, ending.message)
            return Settle(Outcome(Status.FAILED, failure=failure, run_s=ending.run_s))
        case Stopped() | Lost() | Unfit() if stop is StopReason.CANCELLED:
            run_s = ending.run_s if isinstance(ending, Stopped) else 0.0
            return Settle(Outcome(Status.CANCELLED, run_s=run_s))
        case Unfit():
            return _after_unfit(ending)
        case Stopped() | Lost():
            return _after_loss(ending, delivery.attempt, max_attempts)


def lanes_of(receive: int) -> tuple[Lane, ...]:
    """The lanes of this receive, counted from 1: every eighth begins with the last one, so that none is starved."""
    return PRIORITIES if receive % _LOW_FIRST else PRIORITIES[::-1]


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


def _after_unfit(ending: Unfit) -> Settle | Release:
    if ending.fits_elsewhere:
        return Release(counted=False, delay_s=unfit_delay_s(ending.waited_s))
    return Settle(_fits_nowhere(ending.problem))


def _after_loss(ending: Stopped | Lost, attempt: int, max_attempts: int) -> Settle | Release:
    """Another attempt at once, or the end of a prediction that lost `max_attempts` replicas."""
    if isinstance(ending, Stopped) or not ending.begun:
        return Release(counted=False)
    return Release(counted=True) if attempt < max_attempts else Settle(_worker_lost(ending.cause, max_attempts))


def _worker_lost(cause: str, max_attempts: int) -> Outcome:
    died = cause if max_attempts == 1 else f"died {max_attempts} times; the last one {cause}"
    message = f"worker_lost: the process that ran it {died}"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.WORKER_LOST, message))


def _fits_nowhere(problem: str) -> Outcome:
    message = f"The model's types have changed since this was accepted, and no worker that runs takes it: {problem}"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.INVALID_INPUT, message))
