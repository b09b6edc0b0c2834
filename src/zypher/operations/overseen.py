"""The engine as an operator needs it."""

from typing import Protocol

from zypher.engines.engine import Operations
from zypher.prediction import Prediction


class Overseen(Operations, Protocol):
    """What an operator needs of an engine, wherever it is."""

    async def get(self, prediction_id: str) -> Prediction | None:
        """The prediction as it stands; None when the id is unknown or past its retention."""
        ...
