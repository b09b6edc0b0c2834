"""The models that are known under a prefix, in this process and in Redis."""

import asyncio
from functools import partial
from typing import cast

from zypher.engines.redis_streams.keys import ModelKeys, model_field, model_of
from zypher.engines.redis_streams.link import Link


class Models:
    """Remembered for good: an id does not tell its model, so each of them is asked for it."""

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._prefix = prefix
        self._keys: dict[str, ModelKeys] = {}
        self._remembered: set[str] = set()

    def keys(self, model: str) -> ModelKeys:
        keys = self._keys.get(model)
        if keys is None:
            keys = self._keys[model] = ModelKeys.of(self._prefix, model)
        return keys

    def known(self) -> list[str]:
        return sorted(self._remembered)

    def remember(self, model: str) -> asyncio.Future[object] | None:
        """Let every process find this model's predictions: asked before the first of them is, done when answered."""
        if model in self._remembered:
            return None
        asked = self._link.ask("HSET", self._prefix, model_field(model), "")
        asked.add_done_callback(partial(self._answered, model))
        return asked

    async def look(self) -> list[str]:
        """Those that any process remembered, sorted."""
        fields = cast(list[bytes], await self._link.ask("HKEYS", self._prefix))
        self._remembered.update(model for field in fields if (model := model_of(field)) is not None)
        return self.known()

    async def write(self) -> None:
        """Write a little, to learn whether Redis takes it."""
        await self._link.ask("HINCRBY", self._prefix, "format", 0)

    def _answered(self, model: str, asked: asyncio.Future[object]) -> None:
        if not asked.cancelled() and asked.exception() is None:
            self._remembered.add(model)
