"""Keeps free slots filled with deliveries."""

import asyncio
from collections.abc import Callable, Sequence

from zypher.engines.engine import Deliveries
from zypher.prediction import Delivery

_WAIT_S = 60.0


class Receiver:
    """Receives as many deliveries as there are free slots, and begins them."""

    def __init__(
        self,
        engine: Deliveries,
        model: str,
        free_slots: Callable[[], int],
        begin: Callable[[Sequence[Delivery]], None],
    ) -> None:
        self._engine = engine
        self._model = model
        self._free_slots = free_slots
        self._begin = begin
        self._room = asyncio.Event()

    def look_again(self) -> None:
        """A slot may have become free."""
        self._room.set()

    async def step(self) -> None:
        """Fill what is free once, waiting for room and for work."""
        free = self._free_slots()
        if free <= 0:
            self._room.clear()
            await self._room.wait()
            return
        self._begin(await self._engine.receive(self._model, free, _WAIT_S))
