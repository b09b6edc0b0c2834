"""Dead letters of many models, or one by its id, and what an operator needs of an engine.

All of it raises `EngineUnavailable`.
"""

from typing import Protocol

from zypher.prediction import Cancellation, FailureKind, Prediction
from zypher.queue_state import EngineWarning, QueueState


class OperatorEngine(Protocol):
    """What an operator needs of an engine, wherever it is; each method keeps the contract of the engine's."""

    async def queues(self, model: str | None = None) -> dict[str, QueueState]: ...

    def warnings(self) -> tuple[EngineWarning, ...]: ...

    async def get(self, prediction_id: str) -> Prediction | None: ...

    async def cancel(self, prediction_id: str) -> Cancellation: ...

    async def dead(self, model: str, limit: int) -> list[Prediction]: ...

    async def replay(self, prediction_id: str) -> bool: ...

    async def purge(self, prediction_id: str) -> bool: ...

    async def forget(self, model: str) -> bool: ...


async def dead_letters(engine: OperatorEngine, model: str | None = None, limit: int | None = None) -> list[Prediction]:
    """Up to `limit` dead letters of each model, or of one; the oldest first."""
    found: list[Prediction] = []
    for each, queue in (await engine.queues(model)).items():
        found += await engine.dead(each, queue.dead if limit is None else limit)
    return found


async def dead_letter(engine: OperatorEngine, prediction_id: str) -> Prediction | None:
    """The dead letter with this id; None when there is none."""
    found = await engine.get(prediction_id)
    failure = None if found is None or found.outcome is None else found.outcome.failure
    return found if failure is not None and failure.kind is FailureKind.WORKER_LOST else None
