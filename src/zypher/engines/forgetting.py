"""Forgetting a model: what is ended before, and what forbids it."""

import asyncio

from zypher.engines.contract import Engine
from zypher.errors import ModelInUse
from zypher.prediction import Status

_AT_ONCE = 100


async def end_queued(engine: Engine, model: str) -> None:
    """Cancel the durable predictions of a model that wait.

    Raises `ModelInUse`, and nothing happens, while a worker announces the model or one of its predictions runs.
    """
    queue = (await engine.queues(model))[model]
    in_use = model_in_use(model, workers=len(queue.workers), unfinished=queue.running)
    if in_use is not None:
        raise in_use
    after: str | None = ""
    while after is not None:
        page = await engine.page(model, status=Status.QUEUED, limit=_AT_ONCE, after=after)
        await asyncio.gather(*(engine.cancel(each.prediction_id) for each in page.predictions))
        after = page.after


def model_in_use(model: str, *, workers: int, unfinished: int) -> ModelInUse | None:
    """Why a model cannot be forgotten, if it cannot."""
    if workers:
        return ModelInUse(
            f"{model} is served by {_count(workers, 'worker')}; stop {'it' if workers == 1 else 'them'} first."
        )
    if unfinished:
        return ModelInUse(
            f"{model} has {_count(unfinished, 'prediction')} left that cannot be ended now; "
            "start a worker for what is left, or try again in a minute."
        )
    return None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
