"""Dead letters of many models, or one by its id, and what that needs of an engine.

All of it raises `EngineUnavailable`.
"""

from typing import Protocol

from zypher.engines.contract import Operations
from zypher.prediction import FailureKind, Prediction


class OperatorEngine(Operations, Protocol):
    """What an operator needs of an engine, wherever it is."""

    async def get(self, prediction_id: str) -> Prediction | None:
        """The prediction as it stands; None when the id is unknown or past its retention."""
        ...


async def dead_letters(operations: Operations, model: str | None = None, limit: int | None = None) -> list[Prediction]:
    """Up to `limit` dead letters of each model, or of one; the oldest first."""
    found: list[Prediction] = []
    for each, queue in (await operations.queues(model)).items():
        found += await operations.dead(each, queue.dead if limit is None else limit)
    return found


async def dead_letter(operations: OperatorEngine, prediction_id: str) -> Prediction | None:
    """The dead letter with this id; None when there is none."""
    found = await operations.get(prediction_id)
    failure = None if found is None or found.outcome is None else found.outcome.failure
    return found if failure is not None and failure.kind is FailureKind.WORKER_LOST else None
