"""What happens to a prediction on behalf of its caller: submit, keep, get, cancel."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from zypher.engines.contract import Submission
from zypher.engines.redis_streams.connection.client import Word
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import digest, to_bytes, to_text
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.records import FIELDS, log_lost, read_prediction
from zypher.engines.redis_streams.scripts import script
from zypher.engines.refusals import inputs_full, key_reused, queue_full
from zypher.engines.stored import to_blob, to_microseconds
from zypher.prediction import Cancellation, Message, Prediction, Status

_MILLISECOND = timedelta(milliseconds=1)
_CANCELLATIONS = {
    b"ended": Cancellation.ENDED,
    b"asked": Cancellation.ASKED,
    b"late": Cancellation.TOO_LATE,
    b"unknown": Cancellation.UNKNOWN,
}


class Submissions:
    """The submissions of one process, which Redis notifies of an end by its `watcher` id."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, limits: Limits, prefix: str, watcher: str) -> None:
        self._pipeline = pipeline
        self._models = models
        self._limits = limits
        self._ending = limits.ending(prefix)
        self._watcher = watcher

    async def submit(
        self, submissions: Sequence[Submission], now: datetime, *, durable: bool
    ) -> list[Prediction | str]:
        """Of each the accepted prediction, or the id of the one that stands for it. Raises as the contract says."""
        limits, model = self._limits, submissions[0].message.model
        model_written = self._models.use(model)
        submitted = self._pipeline.run(
            script("submit"),
            (self._models.keys(model).base,),
            (
                *(limits.queue_limit, limits.most_bytes),
                *(word for each in submissions for word in self._words(each, now, durable=durable)),
            ),
            copied=any(is_durable(each, durable=durable) for each in submissions),
        )
        if model_written is not None:
            await asyncio.gather(model_written, submitted)
        match cast(list[bytes | int], await submitted):
            case [b"accepted", *places]:
                return [_read(each, place, durable) for each, place in zip(submissions, places, strict=True)]
            case [b"full", int(waiting)]:
                raise queue_full(model, waiting, len(submissions))
            case [b"heavy"]:
                raise inputs_full(model, limits.most_bytes)
            case [b"reused"]:
                raise key_reused()
            case answer:
                raise AssertionError(f"lua/submit.lua answered {answer!r}")

    async def keep(self, message: Message) -> bool:
        """Make a prediction durable; whether there is one."""
        answer = await self._pipeline.run(
            script("keep"),
            (self._models.keys(message.model).base,),
            (*self._ending, to_bytes(message.prediction_id), message.input),
            copied=True,
        )
        return answer == 1

    async def get(self, model: str, prediction_id: str, *, watch: bool, copied: bool = False) -> Prediction | None:
        """The prediction, if it is one of this model; with `watch`, its end will be published to this process."""
        answer = await self._pipeline.run(
            script("get"),
            (self._models.keys(model).base,),
            (*self._ending, to_bytes(prediction_id), self._watcher if watch else "", *FIELDS),
            copied=copied,
        )
        if not answer:
            return None
        state, position, fields = cast(tuple[bytes, int, list[bytes | None]], answer)
        if state == b"lost":
            log_lost(model, [to_bytes(prediction_id)])
        return read_prediction(prediction_id, model, fields, running=state == b"running", position=position)

    async def cancel(self, model: str, prediction_id: str) -> Cancellation:
        answer = await self._pipeline.run(
            script("cancel"), (self._models.keys(model).base,), (*self._ending, to_bytes(prediction_id))
        )
        return _CANCELLATIONS[cast(bytes, answer)]

    def _words(self, submission: Submission, now: datetime, *, durable: bool) -> tuple[Word, ...]:
        """The arguments of lua/submit.lua for one prediction.

        A deadline is a span from now on: the clock of Redis may differ from that of this machine.
        """
        message, key = submission.message, submission.idempotency_key
        options = message.options
        kept = is_durable(submission, durable=durable)
        return (
            *(to_bytes(message.prediction_id), to_microseconds(message.submitted_at), message.input),
            *(int(kept), "" if kept else self._watcher),
            *(("", "") if key is None else (digest(to_bytes(key)), digest(message.input))),
            *(to_blob(options), options.lane.value),
            ""
            if options.deadline is None
            else max(0, (to_microseconds(options.deadline) - to_microseconds(now)) // 1000),
            "1" if options.notify else "",
        )


def is_durable(submission: Submission, *, durable: bool) -> bool:
    """Whether this one is kept: an idempotency key and `notify` imply it."""
    return durable or submission.idempotency_key is not None or submission.message.options.notify


def _read(submission: Submission, place: bytes | int, durable: bool) -> Prediction | str:
    message = submission.message
    if isinstance(place, bytes):
        return to_text(place)
    return Prediction(
        message.prediction_id,
        message.model,
        Status.QUEUED,
        message.submitted_at,
        position=place,
        durable=is_durable(submission, durable=durable),
        options=message.options,
    )
