"""What a worker decides: pure functions."""

from collections.abc import Collection

import msgspec

from zypher.prediction import PRIORITIES, Delivery, Failure, FailureKind, Lane, Outcome, Status, StopReason
from zypher.worker.attempt import Ending, Lost, Unfit
from zypher.worker.protocol import Failed, Stopped, Succeeded

_LOW_FIRST = 8  # of so many receives one begins with the lane of the lowest priority
_BACKOFF_CAP_S = 30.0
_LONGEST_RUN_S = 3_600.0  # unless the model or its operator says otherwise
_FIRST_UNFIT_DELAY_S = 0.25
_LONGEST_UNFIT_DELAY_S = 1.0


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
        case Stopped(begun=True) if stop is StopReason.TIMED_OUT:
            return Settle(_timed_out(ending.run_s))
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


class Overdue(msgspec.Struct, frozen=True):
    """What becomes of attempts that have not ended within their grace, and of their replica."""

    ends: bool  # the attempts, now; else they are lost with their replica
    kill: bool  # the replica, now; else it ends once its other attempts have


def after_grace(reasons: Collection[StopReason | None], *, beside: int, abandoned: int, silent: bool) -> Overdue:
    """What to do with attempts that ignored stops for these `reasons`.

    Beside them so many others run in their replica, and so many that were abandoned before; it may be `silent`. Of
    several attempts in a silent replica any may be the one that holds it: a limit reached there is a crash of it. No
    other stop does harm to others.
    """
    several = len(reasons) + beside + abandoned > 1
    crashed = several and silent and StopReason.TIMED_OUT in reasons
    return Overdue(ends=not crashed, kill=crashed or beside == 0)


def time_limit_s(asked_s: float | None, set_s: float | None, stated_s: float | None) -> float | None:
    """How long an attempt may run, None for ever: as its caller asked, at most what is set, else what the model states.

    0 is no limit of that kind.
    """
    own_s = next((each for each in (set_s, stated_s) if each is not None), _LONGEST_RUN_S)
    return min((each for each in (asked_s, own_s) if each), default=None)


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


def _timed_out(run_s: float) -> Outcome:
    message = f"timed_out: it ran for {run_s:.1f} s, which is longer than it may"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.TIMED_OUT, message), run_s=run_s)


def _fits_nowhere(problem: str) -> Outcome:
    message = f"The model's types have changed since this was accepted, and no worker that runs takes it: {problem}"
    return Outcome(Status.FAILED, failure=Failure(FailureKind.INVALID_INPUT, message))
