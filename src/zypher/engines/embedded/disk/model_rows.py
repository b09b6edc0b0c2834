"""What the SQLite file has of models: their cards, and which are paused."""

import logging
import sqlite3

import msgspec

from zypher.engines.embedded.disk.statements import statement
from zypher.model_card import ModelCard
from zypher.text import encodable

logger = logging.getLogger(__name__)


def replace_card(connection: sqlite3.Connection, model: str, card: ModelCard) -> None:
    connection.execute(statement("replace_card"), (encodable(model), msgspec.msgpack.encode(card)))


def delete_card(connection: sqlite3.Connection, model: str) -> None:
    connection.execute(statement("delete_card"), (encodable(model),))


def select_cards(connection: sqlite3.Connection) -> dict[str, ModelCard]:
    """The cards by model; one that this version cannot read is left out until a worker announces it again."""
    cards: dict[str, ModelCard] = {}
    for model, content in connection.execute(statement("select_cards")):
        try:
            cards[model] = msgspec.msgpack.decode(content, type=ModelCard)
        except (msgspec.MsgspecError, ValueError) as error:
            logger.warning("a model's card cannot be read", extra={"model": model, "problem": str(error)})
    return cards


def set_paused(connection: sqlite3.Connection, model: str, *, paused: bool) -> None:
    connection.execute(statement("replace_paused" if paused else "delete_paused"), (encodable(model),))


def select_paused(connection: sqlite3.Connection) -> frozenset[str]:
    """The models that are paused."""
    return frozenset(model for (model,) in connection.execute(statement("select_paused")))
