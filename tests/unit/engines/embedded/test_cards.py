"""When the card of a model is written to the journal."""

import pytest

from tests.fake_clock import FakeClock
from zypher.engines.embedded.cards import Cards
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.errors import EngineUnavailable
from zypher.model_card import ModelCard

CARD = ModelCard("m", "", {}, {}, {}, 1)
NEW = ModelCard("m", "new", {}, {}, {}, 1)


@pytest.fixture
def cards() -> Cards:
    """Those of an earlier process, with a journal that refuses each write."""
    cards = Cards(MemoryJournal(FakeClock()))
    cards.restore({"m": CARD})
    return cards


def test_a_card_of_an_earlier_process_is_not_written_again(cards: Cards) -> None:
    cards.keep("m", CARD, is_new=True)
    assert cards.of("m") is CARD


def test_a_new_card_is_written_in_its_place(cards: Cards) -> None:
    with pytest.raises(EngineUnavailable):
        cards.keep("m", NEW, is_new=True)
    assert cards.of("m") is NEW


def test_a_card_announced_before_does_not_replace_another(cards: Cards) -> None:
    cards.keep("m", NEW, is_new=False)
    assert cards.of("m") is CARD
