"""What happens to a prediction on behalf of a worker, from its receipt to its end; and the sweep."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from itertools import chain
from typing import cast

from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import to_bytes
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.records import DAMAGED, log_lost, outcome_arguments, read_deliveries
from zypher.engines.redis_streams.scripts import script
from zypher.engines.stored import to_microseconds
from zypher.prediction import PRIORITIES, Delivery, Lane, Outcome

_BEFORE_DELIVERIES = 2  # words of an answer to `receive`


class Extension(Enum):
    """What became of a lease that was to begin anew."""

    LOST = 0  # it had ended before
    EXTENDED = 1
    CANCELLED = 2  # extended, and the prediction is to be stopped


class Deliveries:
    """Methods that return a future have sent their script when they return, so a cancelled caller changes nothing."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, limits: Limits, prefix: str) -> None:
        self.limits = limits
        self._pipeline = pipeline
        self._models = models
        self._ending = limits.ending(prefix)

    def receive(
        self, model: str, limit: int, receipt: str, started_at: datetime, lanes: Sequence[Lane]
    ) -> asyncio.Future[object]:
        """Lease up to `limit` predictions under this receipt; `read` takes the answer."""
        limits = self.limits
        return self._pipeline.run(
            script("receive"),
            (self._models.keys(model).base,),
            (
                *(*self._ending, limit, limits.received_bytes, receipt, to_microseconds(started_at), limits.lease_ms),
                *(lane.value for lane in lanes),
            ),
        )

    def read(self, model: str, receipt: str, answer: object, now: datetime) -> tuple[list[Delivery], bool]:
        """The deliveries of an answer to `receive`, and whether nothing else was ready; those damaged end."""
        emptied, lost, *words = cast(list[object], answer)
        deliveries, damaged = read_deliveries(model, receipt, cast(list[bytes | int], words))
        for each in damaged:
            self.settle(each, DAMAGED, now, receipt)
        log_lost(model, [*cast(list[bytes], lost), *(to_bytes(each.message.prediction_id) for each in damaged)])
        return deliveries, emptied == 1

    def handed_out(self, answer: object) -> bool:
        """Whether an answer to `receive` has deliveries."""
        return len(cast(list[object], answer)) > _BEFORE_DELIVERIES

    def recall(self, model: str, receipt: str, lanes: Sequence[Lane]) -> asyncio.Future[object]:
        """Queue again what was leased under a receipt that no caller got; sent until Redis accepts it."""
        return self._pipeline.run(
            script("recall"),
            (self._models.keys(model).base,),
            (*self._ending, receipt, self.limits.lease_ms, *(lane.value for lane in lanes)),
            retried=True,
        )

    async def extend(self, model: str, deliveries: Sequence[Delivery]) -> list[Extension]:
        """Of each of one model's deliveries what became of its lease."""
        answer = await self._pipeline.run(
            script("extend"),
            (self._models.keys(model).base,),
            (
                self.limits.lease_ms,
                *(word for each in deliveries for word in (to_bytes(each.message.prediction_id), each.receipt)),
            ),
        )
        return [Extension(each) for each in cast(list[int], answer)]

    def begin(self, model: str, deliveries: Sequence[Delivery]) -> asyncio.Future[object]:
        """Count the attempts of one model's deliveries."""
        words = ((to_bytes(each.message.prediction_id), each.receipt, each.attempt) for each in deliveries)
        return self._pipeline.run(script("begin"), (self._models.keys(model).base,), tuple(chain.from_iterable(words)))

    def settle(self, delivery: Delivery, outcome: Outcome, finished_at: datetime, mark: str) -> asyncio.Future[object]:
        """Store an end; the answer is 1 when it counts. Sent until Redis accepts it, and counted once by its mark."""
        message = delivery.message
        return self._pipeline.run(
            script("settle"),
            (self._models.keys(message.model).base,),
            (
                *(*self._ending, to_bytes(message.prediction_id), delivery.receipt, mark),
                *(to_microseconds(finished_at), delivery.attempt, *outcome_arguments(outcome)),
            ),
            retried=True,
        )

    def release(self, delivery: Delivery, *, counted: bool | None, delay_s: float) -> asyncio.Future[object]:
        """Queue it again; the answer is 1 when it was ours. With None its attempt counts if it was begun."""
        message = delivery.message
        return self._pipeline.run(
            script("release"),
            (self._models.keys(message.model).base,),
            (
                *(*self._ending, to_bytes(message.prediction_id), delivery.receipt, round(delay_s * 1000)),
                *_attempts(delivery, counted, delay_s),
            ),
        )

    async def sweep(self, model: str, *, at_once: bool = False) -> list[Lane]:
        """Queue again what came due and end what is over; returns the lanes that may have something ready.

        Does nothing within half a period of another process's sweep, unless `at_once`.
        """
        more = True
        predictions = notices = 0
        while more:
            pause_ms = 0 if at_once else round(500 * self.limits.sweep_period_s)
            answer = await self._pipeline.run(
                script("sweep"), (self._models.keys(model).base,), (*self._ending, pause_ms)
            )
            predictions, notices, more, lost = cast(tuple[int, int, int, list[bytes]], answer)
            log_lost(model, lost)
            at_once = True
        return [*(PRIORITIES if predictions else ()), *((Lane.WEBHOOKS,) if notices else ())]


def _attempts(delivery: Delivery, counted: bool | None, delay_s: float) -> tuple[int | str, int | str]:
    """How many attempts have begun after a release, and how often it was handed out since; "" for what is stored."""
    if counted is None:
        return "", ""
    return (delivery.attempt, 0) if counted else (delivery.attempt - 1, delivery.unbegun - (delay_s > 0))
