"""Finds a prediction by its id, of whatever model it is."""

import asyncio
from collections.abc import Sequence

from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.transitions.submissions import Submissions
from zypher.prediction import Prediction, may_be_of


class Finder:
    """Looks in the models whose name may go with the id."""

    def __init__(self, models: KnownModels, submissions: Submissions) -> None:
        self._models = models
        self._submissions = submissions

    async def find(self, prediction_id: str, *, watch: bool) -> Prediction | None:
        """Also one of a model that another process has used since the last refresh."""
        stored = self._models.stored()
        found = await self._find_among(stored, prediction_id, watch=watch)
        if found is None:
            new = sorted(set(await self._models.refresh()) - set(stored))
            found = await self._find_among(new, prediction_id, watch=watch)
        return found

    async def _find_among(self, models: Sequence[str], prediction_id: str, *, watch: bool) -> Prediction | None:
        candidates = [model for model in models if may_be_of(prediction_id, model)]
        if len(candidates) == 1:
            return await self._submissions.get(candidates[0], prediction_id, watch=watch)
        looks = (self._submissions.get(model, prediction_id, watch=watch) for model in candidates)
        seen = await asyncio.gather(*looks, return_exceptions=True)
        found = next((prediction for prediction in seen if isinstance(prediction, Prediction)), None)
        problem = next((error for error in seen if isinstance(error, BaseException)), None)
        if found is None and problem is not None:  # it may be one of that model
            raise problem
        return found
