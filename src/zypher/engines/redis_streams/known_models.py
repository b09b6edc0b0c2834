"""The models under a prefix: those that Redis has, and those that this process uses."""

import asyncio
from typing import cast

from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.format import FORMAT, check_format, model_field, model_of
from zypher.engines.redis_streams.keys import ModelKeys
from zypher.errors import EngineError


class KnownModels:
    """Models are kept for good, for a prediction is looked up by its id alone.

    Most ids may be of one model only, which three of their characters stand for; that of a notice may be of each.
    After a loss of data in Redis each process writes the models that it uses again.
    """

    def __init__(self, pipeline: Pipeline, prefix: str) -> None:
        self._pipeline = pipeline
        self._prefix = prefix
        self._keys: dict[str, ModelKeys] = {}
        self._stored: set[str] = set()  # in Redis
        self._used: set[str] = set()  # that this process submits to, receives from or announces
        self._watched: set[str] = set()  # whose depth was read here

    def keys(self, model: str) -> ModelKeys:
        keys = self._keys.get(model)
        if keys is None:
            keys = self._keys[model] = ModelKeys.of(self._prefix, model)
        return keys

    def stored(self) -> list[str]:
        """Those that Redis had at the last refresh, and those written since; sorted."""
        return sorted(self._stored)

    def swept(self) -> list[str]:
        """Those whose leases this process sweeps, sorted."""
        return sorted(self._used | self._watched)

    def watch(self, model: str) -> None:
        """Sweep this model's leases from now on, whether or not it was ever served."""
        self._watched.add(model)

    def use(self, model: str) -> asyncio.Future[object] | None:
        """Write this model to Redis, before its first prediction; None if Redis has it already."""
        self._used.add(model)
        if model in self._stored:
            return None
        self._pipeline.send("HSETNX", self._prefix, "format", FORMAT)
        written = self._pipeline.send("HSETNX", self._prefix, model_field(model), "")
        written.add_done_callback(lambda answer: self._written(model, answer))
        return written

    async def refresh(self) -> list[str]:
        """Those that Redis has, sorted. Raises `EngineUnavailable`, also for a newer format."""
        answers = self._pipeline.send("HGET", self._prefix, "format"), self._pipeline.send("HKEYS", self._prefix)
        written, fields = cast(tuple[object, list[bytes]], await asyncio.gather(*answers))
        try:
            check_format(written, self._prefix, self._pipeline.address)
        except EngineError as error:
            raise self._pipeline.disconnected(error) from None
        self._stored = {model for field in fields if (model := model_of(field)) is not None}
        for model in self._used - self._stored:
            self.use(model)
        return self.stored()

    async def try_write(self) -> None:
        """Write a field that is there already. Raises `EngineUnavailable` while Redis refuses writes."""
        await self._pipeline.send("HSETNX", self._prefix, "format", FORMAT)

    def _written(self, model: str, answer: asyncio.Future[object]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self._stored.add(model)
