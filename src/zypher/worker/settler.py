"""Gives back to the engine what has ended: settled, or released for another attempt."""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Sequence
from random import SystemRandom

from zypher.engines.contract import Deliveries, Settlement
from zypher.errors import EngineUnavailable
from zypher.prediction import Delivery
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Attempt, Attempts, Ending, Endings, Lost
from zypher.worker.decide import Release, Settle, decide
from zypher.worker.prediction_log import PredictionLog, warn_of
from zypher.worker.protocol import Succeeded
from zypher.worker.publisher import Publisher
from zypher.worker.slots import Slots

logger = logging.getLogger(__name__)

_random = SystemRandom()
_MOST_UNSETTLED = 1_000  # outcomes that wait in memory for an engine that cannot take them


class Settler:
    """Those that ended together are given back together, while the next ones run."""

    def __init__(
        self,
        engine: Deliveries,
        attempts: Attempts,
        slots: Slots,
        endings: Endings,
        publisher: Publisher,
        metrics: Metrics,
        log: PredictionLog,
    ) -> None:
        self._engine = engine
        self._attempts = attempts
        self._slots = slots
        self._endings = endings
        self._publisher = publisher
        self._metrics = metrics
        self._log = log
        self._unsettled = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        """Whether so many outcomes wait that no more may come."""
        return self._unsettled >= _MOST_UNSETTLED

    async def step(self) -> None:
        """Free the slots of what has ended, and begin to give it back."""
        ended = await self._endings.take()
        if not ended:
            self._slots.look_again()
            return
        for attempt in ended:
            self._slots.give_back(attempt)
        self._unsettled += len(ended)
        reporting = self._publisher.unpublished(ended)
        if reporting:
            self._begin(self._give_back_after_events(reporting))
            ended = [attempt for attempt in ended if attempt not in reporting]
        self._begin(self._give_back(ended))

    async def stop(self) -> None:
        """Wait for nothing more; what was given to the engine, it stores."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, giving_back: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(giving_back)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _give_back_after_events(self, ended: Collection[Attempt]) -> None:
        await self._publisher.finish(ended)
        await self._give_back(ended)

    async def _give_back(self, ended: Collection[Attempt]) -> None:
        try:
            settlements: list[Settlement] = []
            releases: list[tuple[Delivery, Release]] = []
            for attempt in ended:
                decision = self._decide(attempt)
                if isinstance(decision, Settle):
                    settlements.append(Settlement(attempt.delivery, decision.outcome))
                else:
                    releases.append((attempt.delivery, decision))
            if settlements:
                await self._settle(settlements)
            if releases:
                await asyncio.gather(*(self._release(*each) for each in releases))
        except EngineUnavailable as error:
            # Nothing is lost: their leases end and bring them back.
            about = {"predictions": _ids(ended), "problem": str(error)}
            logger.warning("the engine did not take what ended", extra=about)
        except Exception:
            # An error of ours; no prediction is lost, their leases end and bring them back.
            logger.exception("attempts were given up", extra={"predictions": _ids(ended)})
        finally:
            self._unsettled -= len(ended)
            for attempt in ended:
                self._attempts.discard(attempt)
            self._slots.room.set()

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        settled = await self._engine.settle(settlements)
        for settlement, counts in zip(settlements, settled, strict=True):
            if counts:
                self._metrics.settled(settlement.delivery.message.model, settlement.outcome)
        self._log.settled(settlements, settled)

    async def _release(self, delivery: Delivery, release: Release) -> None:
        # Spread, or the sweep of the same worker would be the first one after each delay, and it would have it again.
        delay_s = release.delay_s * _random.uniform(0.5, 1.5)
        await self._engine.release(delivery, counted=release.counted, delay_s=delay_s)

    def _decide(self, attempt: Attempt) -> Settle | Release:
        delivery, ending = attempt.delivery, attempt.ending
        assert ending is not None
        decision = decide(ending, delivery, self._slots.max_attempts, attempt.stop)
        if not isinstance(ending, Succeeded):
            self._report(attempt, ending, decision)
        return decision

    def _report(self, attempt: Attempt, ending: Ending, decision: Settle | Release) -> None:
        delivery = attempt.delivery
        warn_of(delivery, ending, is_last=isinstance(decision, Settle) and attempt.stop is None)
        if isinstance(ending, Lost) and ending.begun:
            self._metrics.attempt_lost(delivery.message.model)


def _ids(attempts: Collection[Attempt]) -> str:
    return ", ".join(attempt.delivery.message.prediction_id for attempt in attempts)
