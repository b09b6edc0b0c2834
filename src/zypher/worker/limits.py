"""Ends attempts that run longer than they may, or that ignore a stop."""

import logging

from zypher.clock import Clock
from zypher.prediction import StopReason
from zypher.worker.attempt import Attempt, Attempts
from zypher.worker.decide import after_grace, time_limit_s
from zypher.worker.protocol import Stopped
from zypher.worker.replica import Replica
from zypher.worker.replicas import Replicas
from zypher.worker.stops import Stops

logger = logging.getLogger(__name__)

_LOOK_S = 0.2  # how exactly limits are kept; a look costs nothing while nothing runs


class Limits:
    """Time counts from the first look that finds an attempt begun, or stopped."""

    def __init__(
        self,
        attempts: Attempts,
        replicas: Replicas,
        stops: Stops,
        clock: Clock,
        timeout_s: float | None,
        grace_s: float,
    ) -> None:
        """`timeout_s` is as in `WorkerPlan`; a stopped attempt has `grace_s` to end."""
        self._attempts = attempts
        self._replicas = replicas
        self._stops = stops
        self._clock = clock
        self._timeout_s = timeout_s
        self._grace_s = grace_s
        self._begun_at_s: dict[Attempt, float] = {}
        self._stopped_at_s: dict[Attempt, float] = {}

    async def step(self) -> None:
        """Look at all that run, a moment later, as soon as there is one."""
        await self._attempts.present()
        await self._clock.sleep(_LOOK_S)
        now_s = self._clock.monotonic()
        sent = [(replica, attempt) for replica in self._replicas.living for attempt in replica.attempts]
        begun = {attempt for replica in self._replicas.living for attempt in replica.begun()}
        self._begun_at_s = {each: self._begun_at_s.get(each, now_s) for each in begun}
        self._stopped_at_s = {each: self._stopped_at_s.get(each, now_s) for _, each in sent if each.stop}
        for replica, attempt in sent:
            if attempt.ending is None:
                self._look(replica, attempt, now_s)

    def _look(self, replica: Replica, attempt: Attempt, now_s: float) -> None:
        run_s = now_s - self._begun_at_s.get(attempt, now_s)
        if attempt.stop is not None:
            if now_s - self._stopped_at_s[attempt] >= self._grace_s:
                self._end(replica, attempt, attempt.stop, run_s)
        elif attempt in self._begun_at_s:
            limit_s = self._limit_s(attempt)
            if limit_s is not None and run_s >= limit_s:
                self._stops.stop(attempt, StopReason.TIMED_OUT)

    def _limit_s(self, attempt: Attempt) -> float | None:
        card = self._replicas.card
        stated_s = None if card is None else card.timeout_s
        return time_limit_s(attempt.delivery.message.options.timeout_s, self._timeout_s, stated_s)

    def _end(self, replica: Replica, attempt: Attempt, reason: StopReason, run_s: float) -> None:
        if attempt not in self._begun_at_s:  # the replica drops it once it answers again
            replica.abandon(attempt, Stopped(attempt.number, begun=False, run_s=0.0))
            return
        silent = replica.is_silent(self._grace_s)
        alone = replica.abandoned == 0 and replica.begun() == [attempt]
        overdue = after_grace(reason, alone=alone, silent=silent)
        about = {"replica": replica.number, "prediction_id": attempt.delivery.message.prediction_id}
        logger.warning("an attempt ignored its stop", extra={**about, "reason": reason, "silent": silent})
        if overdue.ends:
            replica.abandon(attempt, Stopped(attempt.number, begun=True, run_s=run_s))
        if overdue.kill:
            replica.kill()
        else:
            self._replicas.replace(replica)
