"""The models that are known under a prefix, in this process and in Redis."""

import asyncio
from typing import cast

from zypher.engines.redis_streams.format import FORMAT, check_format
from zypher.engines.redis_streams.keys import ModelKeys, model_field, model_of
from zypher.engines.redis_streams.link import Link
from zypher.errors import EngineError


class Models:
    """Remembered for good: an id does not tell its model, so each of them is asked for it.

    A Redis that lost everything is told again, by each process, of the models that it uses.
    """

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._prefix = prefix
        self._keys: dict[str, ModelKeys] = {}
        self._remembered: set[str] = set()  # in Redis
        self._used: set[str] = set()  # that this process submits to, receives from or announces
        self._watched: set[str] = set()  # whose depth it was asked for

    def keys(self, model: str) -> ModelKeys:
        keys = self._keys.get(model)
        if keys is None:
            keys = self._keys[model] = ModelKeys.of(self._prefix, model)
        return keys

    def known(self) -> list[str]:
        return sorted(self._remembered)

    def ours(self) -> list[str]:
        """Those whose leases this process looks after."""
        return sorted(self._used | self._watched)

    def watch(self, model: str) -> None:
        """Look after this model's leases from now on, whether or not it was ever served."""
        self._watched.add(model)

    def remember(self, model: str) -> asyncio.Future[object] | None:
        """Let every process find this model's predictions: asked before the first of them is, done when answered."""
        self._used.add(model)
        if model in self._remembered:
            return None
        self._link.ask("HSETNX", self._prefix, "format", FORMAT)
        asked = self._link.ask("HSETNX", self._prefix, model_field(model), "")
        asked.add_done_callback(lambda answered: self._answered(model, answered))
        return asked

    async def look(self) -> list[str]:
        """Those that any process remembered, sorted. Raises `EngineUnavailable`, also for those of a newer format."""
        asked = self._link.ask("HGET", self._prefix, "format"), self._link.ask("HKEYS", self._prefix)
        written, fields = cast(tuple[object, list[bytes]], await asyncio.gather(*asked))
        try:
            check_format(written, self._prefix, self._link.address)
        except EngineError as error:
            raise self._link.lose(error) from None
        self._remembered = {model for field in fields if (model := model_of(field)) is not None}
        for model in self._used - self._remembered:
            self.remember(model)
        return self.known()

    async def write(self) -> None:
        """Write a little, to learn whether Redis takes it."""
        await self._link.ask("HSETNX", self._prefix, "format", FORMAT)

    def _answered(self, model: str, asked: asyncio.Future[object]) -> None:
        if not asked.cancelled() and asked.exception() is None:
            self._remembered.add(model)
