"""What an operator does with dead letters: dead, replay, purge."""

import logging
from typing import cast

import msgspec

from zypher.engines.redis_streams.connection.failures import UnusableData
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import to_bytes, to_text
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.records import FIELDS, read_prediction
from zypher.engines.redis_streams.scripts import script
from zypher.engines.refusals import inputs_full, queue_full
from zypher.engines.stored import to_blob
from zypher.prediction import Prediction

logger = logging.getLogger(__name__)


class DeadLetters:
    """The dead letters of each model, those that died first first."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, limits: Limits) -> None:
        self._pipeline = pipeline
        self._models = models
        self._limits = limits

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        read = self._pipeline.run(script("dead"), (self._models.keys(model).base,), (limit, *FIELDS))
        answer = cast(list[bytes | list[bytes | None]], await read)
        letters: list[Prediction] = []
        for prediction_id, fields in zip(answer[::2], answer[1::2], strict=True):
            assert isinstance(prediction_id, bytes)
            assert isinstance(fields, list)
            try:
                letters.append(read_prediction(to_text(prediction_id), model, fields))
            except (UnusableData, UnicodeDecodeError) as error:  # one that cannot be read hides no other
                logger.warning("a dead letter cannot be read", extra={"model": model, "problem": str(error)})
        return letters

    async def replay(self, letter: Prediction) -> bool:
        """Queue it again, without its deadline. Raises `QueueFull` and `DataFull`."""
        model, limits = letter.model, self._limits
        options = to_blob(msgspec.structs.replace(letter.options, deadline=None))
        answer = await self._pipeline.run(
            script("replay"),
            (self._models.keys(model).base,),
            (to_bytes(letter.prediction_id), limits.queue_limit, limits.most_bytes, options),
        )
        match answer:
            case [b"full", int(waiting)]:
                raise queue_full(model, waiting)
            case [b"heavy"]:
                raise inputs_full(model, limits.most_bytes)
            case _:
                return answer == [b"replayed"]

    async def purge(self, model: str, prediction_id: str) -> bool:
        answer = await self._pipeline.run(script("purge"), (self._models.keys(model).base,), (to_bytes(prediction_id),))
        return answer == 1
