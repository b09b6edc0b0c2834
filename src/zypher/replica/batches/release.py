"""How large batches are, and when one goes: pure functions."""

import msgspec

from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.worker.protocol import BatchReason


class BatchLimits(msgspec.Struct, frozen=True):
    """How many attempts run together, and how long one waits for others."""

    size: int
    wait_s: float


def batch_limits(card: ModelCard, *, has_batches: bool, size: int | None, wait_s: float | None) -> BatchLimits:
    """Of a model, as its card states unless `size` or `wait_s` say otherwise.

    Raises `TargetError` where they say it of a model without `predict_batch`.
    """
    if not has_batches and (size is not None or wait_s is not None):
        raise TargetError(
            f"The model `{card.name}` has no `predict_batch`: give it one, or leave out --max-batch-size and "
            "--max-batch-wait-ms."
        )
    return BatchLimits(
        card.max_batch_size if size is None else size, card.max_batch_wait_ms / 1000 if wait_s is None else wait_s
    )


def release(waiting: int, oldest_s: float, limits: BatchLimits) -> BatchReason | float:
    """Why the attempts that wait, the oldest one for so long, go now that they can; else the seconds until they do."""
    if waiting >= limits.size:
        return BatchReason.FULL
    left_s = limits.wait_s - oldest_s
    return BatchReason.WAITED if left_s <= 0 else left_s
