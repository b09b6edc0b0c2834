"""The models' cards, which outlast the workers that announced them."""

import asyncio
from collections.abc import Mapping
from functools import partial

from zypher.engines.embedded.journal import ForgetCard, Journal, KeepCard, resolve
from zypher.errors import EngineUnavailable
from zypher.model_card import ModelCard


class Cards:
    """The last card of each model. One that the journal could not store is written again when it is next announced."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._cards: dict[str, ModelCard] = {}  # by model
        self._stored: set[str] = set()  # models whose card is in the journal, or on its way there

    def restore(self, cards: Mapping[str, ModelCard]) -> None:
        """Add those of an earlier process, by model."""
        self._cards.update(cards)
        self._stored.update(cards)

    def of(self, model: str) -> ModelCard | None:
        return self._cards.get(model)

    def models(self) -> set[str]:
        return set(self._cards)

    def keep(self, model: str, card: ModelCard, *, is_new: bool) -> None:
        """Keep a card that a worker announces; `is_new` says that this worker did not announce it before."""
        known = self._cards.get(model)
        if known is None or (is_new and known != card):
            self._cards[model] = known = card
            self._stored.discard(model)
        if model not in self._stored:
            self._stored.add(model)
            self._journal.write(KeepCard(model, known, partial(self._written, model, known)))

    async def forget(self, model: str) -> bool:
        """Raises `EngineUnavailable` when the journal cannot store."""
        self._journal.recovery.check()
        card = self._cards.pop(model, None)
        if card is None:
            return False
        forgotten: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._journal.write(ForgetCard(model, partial(self._forgotten, model, card, forgotten)))
        await forgotten
        return True

    def _written(self, model: str, card: ModelCard, error: EngineUnavailable | None) -> None:
        if error is not None and self._cards.get(model) is card:
            self._stored.discard(model)

    def _forgotten(
        self, model: str, card: ModelCard, forgotten: asyncio.Future[None], error: EngineUnavailable | None
    ) -> None:
        if error is not None and model not in self._cards:
            self.restore({model: card})
        resolve(forgotten, error)
