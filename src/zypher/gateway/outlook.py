"""What the gateway knows of the model that it serves, asked of the engine not more often than needed."""

import asyncio

import msgspec

from zypher.clock import Clock
from zypher.engines.engine import Operations
from zypher.errors import EngineUnavailable
from zypher.models.schema import InputValidator
from zypher.presence import Depth, ModelCard

_FRESH_S = 0.1
_PATIENCE_S = 2.0

_NOTHING = Depth(queued=0, running=0, oldest_queued_at=None, run_s=None, limit=0, presences=())


class View(msgspec.Struct, frozen=True):
    """One look at the engine."""

    card: ModelCard | None  # None until a worker announced one
    depth: Depth
    problem: str | None = None  # why none of the models that are announced is served, a sentence


class Outlook:
    """The newest view, at most a tenth of a second old.

    `model` is the name of the only one that is served, "" while it is not known; None is whichever is announced.
    """

    def __init__(self, engine: Operations, clock: Clock, model: str | None) -> None:
        self.view = View(None, _NOTHING)
        self.model = model
        self._engine = engine
        self._clock = clock
        self._seen_at_s = float("-inf")
        self._looking: asyncio.Task[View] | None = None
        self._looking_since_s = 0.0
        self._validator: tuple[ModelCard, InputValidator] | None = None

    def fresh(self) -> bool:
        """Whether `view` is new enough to decide by."""
        return self._clock.monotonic() - self._seen_at_s < _FRESH_S

    async def look(self) -> View:
        """Ask the engine, once for all who ask at the same time.

        Raises `EngineUnavailable`, also when the engine is too slow to be waited for.
        """
        looking = self._looking
        if looking is None or looking.done():
            looking = self._looking = asyncio.create_task(self._look(), name="outlook")
            looking.add_done_callback(_heard)
            self._looking_since_s = self._clock.monotonic()
        left_s = _PATIENCE_S - (self._clock.monotonic() - self._looking_since_s)
        await asyncio.wait({looking}, timeout=max(0.0, left_s))
        if not looking.done():
            raise EngineUnavailable("The engine is too slow to answer; see how it is doing, then try again.")
        return looking.result()

    def validator(self, card: ModelCard) -> InputValidator:
        """The input validator of this card, compiled once."""
        if self._validator is None or self._validator[0] is not card:
            self._validator = (card, InputValidator(card))
        return self._validator[1]

    async def _look(self) -> View:
        self.view = await self._served()
        self._seen_at_s = self._clock.monotonic()
        return self.view

    async def _served(self) -> View:
        """The model that is asked for; without that the one of the last look, while a worker announces it."""
        last = self.view.card
        if self.model is not None:
            return await self._of(self.model)
        if last is not None and (view := await self._of(last.name)).depth.presences:
            return view
        views = [self._view(model, depth) for model, depth in (await self._engine.depths()).items()]
        announced = [view for view in views if view.depth.presences]
        if len(announced) == 1:
            return announced[0]
        depth = msgspec.structs.replace(self.view.depth, presences=())
        return View(last, depth, _ambiguous(announced) if announced else None)

    async def _of(self, model: str) -> View:
        """A look at one model."""
        return self._view(model, (await self._engine.depths(model))[model]) if model else View(None, _NOTHING)

    def _view(self, model: str, depth: Depth) -> View:
        """What a depth says of a model; while no worker announces it, it keeps the card it had."""
        last = self.view.card
        card = next((presence.card for presence in depth.presences if presence.card), None)
        # The same card stays the same object: what was made from it need not be made again.
        same = last is not None and last.name == model and card in (None, last)
        return View(last if same else card, depth)


def _heard(looking: asyncio.Task[View]) -> None:
    """Whoever asked may have gone; an engine that is away is no news for the log."""
    if not looking.cancelled():
        looking.exception()


def _ambiguous(announced: list[View]) -> str:
    names = " and ".join(view.card.name for view in announced if view.card)
    return f"Workers announce the models {names}; say with --model which one this server serves."
