"""What the gateway knows of the model that it serves, asked of the engine not more often than needed."""

import msgspec

from zypher.clock import Clock
from zypher.engines.engine import Operations
from zypher.models.schema import InputValidator
from zypher.presence import Depth, ModelCard

_FRESH_S = 0.1

_NOTHING = Depth(queued=0, running=0, oldest_queued_at=None, run_s=None, limit=0, presences=())


class View(msgspec.Struct, frozen=True):
    """One look at the engine."""

    card: ModelCard | None  # None until a worker announced one
    depth: Depth


class Outlook:
    """The newest view, at most a tenth of a second old."""

    def __init__(self, engine: Operations, clock: Clock) -> None:
        self.view = View(None, _NOTHING)
        self._engine = engine
        self._clock = clock
        self._seen_at_s = float("-inf")
        self._validator: tuple[ModelCard, InputValidator] | None = None

    def fresh(self) -> bool:
        """Whether `view` is new enough to decide by."""
        return self._clock.monotonic() - self._seen_at_s < _FRESH_S

    async def look(self) -> View:
        """Ask the engine."""
        for model in await self._engine.models():
            depth = await self._engine.depth(model)
            card = next((presence.card for presence in depth.presences if presence.card), None)
            if card is not None:
                self.view = View(card, depth)
                break
        else:
            self.view = View(self.view.card, msgspec.structs.replace(self.view.depth, presences=()))
        self._seen_at_s = self._clock.monotonic()
        return self.view

    def validator(self, card: ModelCard) -> InputValidator:
        """The input validator of this card, compiled once."""
        if self._validator is None or self._validator[0] is not card:
            self._validator = (card, InputValidator(card))
        return self._validator[1]
