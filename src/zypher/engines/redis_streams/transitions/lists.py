"""What is listed of a model's predictions."""

import logging
from typing import cast

from zypher.engines.contract import Page
from zypher.engines.redis_streams.connection.failures import UnusableData
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import to_text
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.records import LISTED, read_prediction
from zypher.engines.redis_streams.scripts import script
from zypher.prediction import Prediction, Status

logger = logging.getLogger(__name__)

_MOST = 1_000  # that one page looks at
_LONGEST_PLACE = 16  # digits of a number that Redis has exactly


class Lists:
    """Pages of durable predictions; a page ends before the number of the last one that it looked at."""

    def __init__(self, pipeline: Pipeline, models: KnownModels) -> None:
        self._pipeline = pipeline
        self._models = models

    async def page(self, model: str, status: Status | None, limit: int, after: str) -> Page:
        """Nothing for what is no place in a list."""
        if after and not (after.isascii() and after.isdigit() and len(after) <= _LONGEST_PLACE):
            return Page([], None)
        answer = await self._pipeline.run(
            script("list"),
            (self._models.keys(model).base,),
            (f"({after}" if after else "+inf", limit, _MOST, status.value if status else "", *LISTED),
        )
        ends_before, *words = cast(list[bytes], answer)
        return Page(_listed(model, words), ends_before.decode() or None)


def _listed(model: str, words: list[bytes]) -> list[Prediction]:
    """The predictions that lua/list.lua returns, three words each; one that cannot be read hides no other."""
    found: list[Prediction] = []
    for place in range(0, len(words), 3):
        prediction_id, state, fields = cast(tuple[bytes, bytes, list[bytes | None]], words[place : place + 3])
        try:
            found.append(read_prediction(to_text(prediction_id), model, fields, running=state == b"running"))
        except (UnusableData, UnicodeDecodeError) as error:
            logger.warning("a prediction cannot be listed", extra={"model": model, "problem": str(error)})
    return found
