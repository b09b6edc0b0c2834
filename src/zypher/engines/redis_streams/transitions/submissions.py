"""What happens to a prediction on behalf of its caller: submit, get, cancel."""

import asyncio
from datetime import datetime
from typing import cast

from zypher.engines.instants import to_microseconds
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import digest, ends_channel, to_bytes, to_text
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.records import FIELDS, log_lost, read_prediction
from zypher.engines.redis_streams.scripts import script
from zypher.engines.refusals import inputs_full, key_reused, queue_full
from zypher.prediction import Message, Prediction, Status


class Submissions:
    """The submissions of one process, which Redis notifies of an end by its `watcher` id."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, limits: Limits, prefix: str, watcher: str) -> None:
        self._pipeline = pipeline
        self._models = models
        self._limits = limits
        self._ends_channels = ends_channel(prefix, "")
        self._watcher = watcher

    async def submit(self, message: Message, *, durable: bool, idempotency_key: str | None) -> Prediction | str:
        """The accepted prediction, or the id of the one that stands for it. Raises as the contract says."""
        keys, limits = self._models.keys(message.model), self._limits
        record = keys.record(message.prediction_id)
        key = "" if idempotency_key is None else digest(to_bytes(idempotency_key))
        model_written = self._models.use(message.model)
        submitted = self._pipeline.run(
            script("submit"),
            (
                *(keys.stream, keys.model, keys.delayed, keys.dead, record),
                *(keys.idempotency(key) if key else record, keys.returned),
            ),
            (
                *(keys.base, to_bytes(message.prediction_id), to_microseconds(message.submitted_at), message.input),
                *(int(durable), "" if durable else self._watcher, limits.queue_limit, limits.most_bytes),
                *(limits.retention_ms, key, digest(message.input) if key else ""),
                *(self._ends_channels, message.revision),
            ),
        )
        if model_written is not None:
            await asyncio.gather(model_written, submitted)
        return _read_submitted(message, await submitted, limits.most_bytes, durable=durable)

    async def get(self, model: str, prediction_id: str, *, watch: bool) -> Prediction | None:
        """The prediction, if it is one of this model; with `watch`, its end will be published to this process."""
        keys = self._models.keys(model)
        answer = await self._pipeline.run(
            script("get"),
            (keys.stream, keys.model, keys.returned, keys.delayed, keys.record(prediction_id)),
            (
                *(keys.base, self._ends_channels, to_bytes(prediction_id), self._limits.retention_ms),
                *(self._watcher if watch else "", *FIELDS),
            ),
        )
        if not answer:
            return None
        state, position, fields = cast(tuple[bytes, int, list[bytes | None]], answer)
        if state == b"lost":
            log_lost(model, [to_bytes(prediction_id)])
        return read_prediction(prediction_id, model, fields, running=state == b"running", position=position)

    async def cancel(self, model: str, prediction_id: str, finished_at: datetime) -> bool:
        keys, limits = self._models.keys(model), self._limits
        answer = await self._pipeline.run(
            script("cancel"),
            (keys.stream, keys.model, keys.returned, keys.delayed, keys.record(prediction_id)),
            (
                *(keys.base, self._ends_channels, to_bytes(prediction_id), to_microseconds(finished_at)),
                *(limits.retention_ms, limits.brief_ms),
            ),
        )
        return answer == 1


def _read_submitted(message: Message, answer: object, most_bytes: int, *, durable: bool) -> Prediction | str:
    match cast(list[bytes | int], answer):
        case [b"accepted", int(position)]:
            return _accepted(message, position, durable=durable)
        case [b"standing", bytes(prediction_id)]:
            return to_text(prediction_id)
        case [b"full", int(waiting)]:
            raise queue_full(message.model, waiting)
        case [b"heavy"]:
            raise inputs_full(message.model, most_bytes)
        case [b"reused"]:
            raise key_reused()
        case _:
            raise AssertionError(f"lua/submit.lua answered {answer!r}")


def _accepted(message: Message, position: int, *, durable: bool) -> Prediction:
    return Prediction(
        message.prediction_id,
        message.model,
        Status.QUEUED,
        message.submitted_at,
        position=position,
        durable=durable,
    )
