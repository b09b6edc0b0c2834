"""What happens to a prediction on behalf of a worker, from its receipt to its end; and the sweep."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from zypher.engines.instants import to_microseconds
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import ends_channel, to_bytes
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.records import log_lost, outcome_arguments, read_deliveries
from zypher.engines.redis_streams.scripts import script
from zypher.prediction import Delivery, Outcome

_BEFORE_DELIVERIES = 2  # words of an answer to `receive`


class Deliveries:
    """Methods that return a future have sent their script when they return, so a cancelled caller changes nothing."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, limits: Limits, prefix: str) -> None:
        self.limits = limits
        self._pipeline = pipeline
        self._models = models
        self._ends_channels = ends_channel(prefix, "")

    def receive(self, model: str, limit: int, receipt: str, started_at: datetime) -> asyncio.Future[object]:
        """Lease up to `limit` predictions under this receipt; `read` takes the answer."""
        keys = self._models.keys(model)
        return self._pipeline.run(
            script("receive"),
            (keys.stream, keys.model, keys.returned, keys.delayed),
            (
                *(keys.base, self._ends_channels, self.limits.retention_ms, limit, self.limits.received_bytes),
                *(receipt, to_microseconds(started_at), self.limits.lease_ms),
            ),
        )

    def read(self, model: str, receipt: str, answer: object) -> tuple[list[Delivery], bool]:
        """The deliveries of an answer to `receive`, and whether nothing else was ready."""
        emptied, lost, *words = cast(list[object], answer) or [1, []]
        log_lost(model, cast(list[bytes], lost))
        return read_deliveries(model, receipt, cast(list[bytes | int], words)), emptied == 1

    def handed_out(self, answer: object) -> bool:
        """Whether an answer to `receive` has deliveries."""
        return len(cast(list[object], answer)) > _BEFORE_DELIVERIES

    def recall(self, model: str, receipt: str) -> asyncio.Future[object]:
        """Queue again what was leased under a receipt that no caller got; sent until Redis accepts it."""
        keys = self._models.keys(model)
        return self._pipeline.run(
            script("recall"),
            (keys.stream, keys.model, keys.returned, keys.delayed),
            (keys.base, receipt, self.limits.lease_ms),
            retried=True,
        )

    async def extend(self, model: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those of one model's deliveries that were lost."""
        keys = self._models.keys(model)
        held = await self._pipeline.run(
            script("extend"),
            (keys.stream, keys.model, *(keys.record(delivery.message.prediction_id) for delivery in deliveries)),
            (self.limits.lease_ms, *(delivery.receipt for delivery in deliveries)),
        )
        return [delivery for delivery, ours in zip(deliveries, cast(list[int], held), strict=True) if not ours]

    def begin(self, model: str, deliveries: Sequence[Delivery]) -> asyncio.Future[object]:
        """Count the attempts of one model's deliveries."""
        keys = self._models.keys(model)
        return self._pipeline.run(
            script("begin"),
            (keys.stream, keys.model, *(keys.record(delivery.message.prediction_id) for delivery in deliveries)),
            tuple(argument for delivery in deliveries for argument in (delivery.receipt, delivery.attempt)),
        )

    def settle(self, delivery: Delivery, outcome: Outcome, finished_at: datetime, mark: str) -> asyncio.Future[object]:
        """Store an end; the answer is 1 when it counts. Sent until Redis accepts it, and counted once by its mark."""
        message, limits = delivery.message, self.limits
        keys = self._models.keys(message.model)
        return self._pipeline.run(
            script("settle"),
            (keys.stream, keys.model, keys.dead, keys.record(message.prediction_id)),
            (
                *(keys.base, self._ends_channels, to_bytes(message.prediction_id), delivery.receipt, mark),
                *(to_microseconds(finished_at), limits.retention_ms, limits.brief_ms, delivery.attempt),
                *outcome_arguments(outcome),
            ),
            retried=True,
        )

    def release(self, delivery: Delivery, *, counted: bool | None, delay_s: float) -> asyncio.Future[object]:
        """Queue it again; the answer is 1 when it was ours. With None its attempt counts if it was begun."""
        message = delivery.message
        keys = self._models.keys(message.model)
        return self._pipeline.run(
            script("release"),
            (keys.stream, keys.model, keys.returned, keys.delayed, keys.record(message.prediction_id)),
            (keys.base, delivery.receipt, round(delay_s * 1000), *_attempts(delivery, counted, delay_s)),
        )

    async def sweep(self, model: str, *, at_once: bool = False) -> int:
        """Queue again what came due; returns how many are ready.

        Does nothing within half a period of another process's sweep, unless `at_once`.
        """
        keys = self._models.keys(model)
        pause_ms = 0 if at_once else round(500 * self.limits.sweep_period_s)
        answer = await self._pipeline.run(
            script("sweep"),
            (keys.stream, keys.model, keys.returned, keys.delayed),
            (keys.base, self._ends_channels, self.limits.retention_ms, pause_ms),
        )
        ready, lost = cast(tuple[int, list[bytes]], answer)
        log_lost(model, lost)
        return ready


def _attempts(delivery: Delivery, counted: bool | None, delay_s: float) -> tuple[int | str, int | str]:
    """How many attempts have begun after a release, and how often it was handed out since; "" for what is stored."""
    if counted is None:
        return "", ""
    return (delivery.attempt, 0) if counted else (delivery.attempt - 1, delivery.unbegun - (delay_s > 0))
