"""Ends attempts that run longer than they may, or that ignore a stop."""

import logging
from collections.abc import Collection

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
        replicas = list(self._replicas.living)
        begun = {attempt for replica in replicas for attempt in replica.begun()}
        stopped = {attempt for replica in replicas for attempt in replica.attempts if attempt.stop}
        self._begun_at_s = {each: self._begun_at_s.get(each, now_s) for each in begun}
        self._stopped_at_s = {each: self._stopped_at_s.get(each, now_s) for each in stopped}
        for replica in replicas:
            self._stop_late(replica, now_s)
            overdue = [each for each in replica.attempts if self._is_overdue(each, now_s)]
            if overdue:
                self._end(replica, overdue, now_s)

    def _stop_late(self, replica: Replica, now_s: float) -> None:
        """Stop those that have run for as long as they may."""
        for attempt in replica.attempts:
            if attempt.stop is None and attempt in self._begun_at_s:
                limit_s = self._limit_s(attempt)
                if limit_s is not None and now_s - self._begun_at_s[attempt] >= limit_s:
                    self._stops.stop(attempt, StopReason.TIMED_OUT)

    def _is_overdue(self, attempt: Attempt, now_s: float) -> bool:
        """Whether it has ignored its stop for the whole grace."""
        return now_s - self._stopped_at_s.get(attempt, now_s) >= self._grace_s

    def _limit_s(self, attempt: Attempt) -> float | None:
        card = self._replicas.card
        stated_s = None if card is None else card.timeout_s
        return time_limit_s(attempt.delivery.message.options.timeout_s, self._timeout_s, stated_s)

    def _end(self, replica: Replica, overdue: Collection[Attempt], now_s: float) -> None:
        """End those that ignored their stops, or their replica."""
        silent = replica.is_silent(self._grace_s)
        begun = [attempt for attempt in overdue if attempt in self._begun_at_s]
        # A batch goes on for those of its members that are not to end.
        stuck = [each for each in begun if silent or all(other in overdue for other in replica.beside(each))]
        beside = len(replica.begun()) - len(stuck)
        reasons = [attempt.stop for attempt in stuck]
        decision = after_grace(reasons, beside=beside, abandoned=replica.abandoned, silent=silent)
        for attempt in overdue:
            if attempt not in begun:  # the replica drops it once it answers again
                replica.abandon(attempt, Stopped(attempt.number, begun=False, run_s=0.0))
                continue
            about = {"replica": replica.number, "prediction_id": attempt.delivery.message.prediction_id}
            logger.warning("an attempt ignored its stop", extra={**about, "reason": attempt.stop, "silent": silent})
            if decision.ends:
                run_s = now_s - self._begun_at_s[attempt]
                replica.abandon(attempt, Stopped(attempt.number, begun=True, run_s=run_s))
        if stuck and decision.kill:
            replica.kill()
        elif stuck:
            self._replicas.replace(replica)
