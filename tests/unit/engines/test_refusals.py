import pytest

from zypher.engines.forgetting import model_in_use
from zypher.engines.refusals import inputs_full, key_reused, queue_full, stopping
from zypher.errors import (
    DataFull,
    EngineUnavailable,
    IdempotencyKeyReused,
    ModelInUse,
    QueueFull,
    ZypherError,
)


@pytest.mark.parametrize(
    ("refusal", "kind", "part"),
    [
        (stopping(), EngineUnavailable, "is stopping"),
        (queue_full("m", 5), QueueFull, "5 predictions wait for m, as many as may"),
        (queue_full("m", 0, 1_000), QueueFull, "no room for 1000 more"),
        (inputs_full("m", 1_572_864), DataFull, "wait for m have the 1.5 MiB that they may"),
        (key_reused(), IdempotencyKeyReused, "another input"),
        (model_in_use("m", workers=1, unfinished=0), ModelInUse, "m is served by 1 worker"),
        (model_in_use("m", workers=0, unfinished=2), ModelInUse, "m has 2 predictions left"),
    ],
)
def test_a_refusal_has_its_reason_and_a_remedy(refusal: ZypherError | None, kind: type[ZypherError], part: str) -> None:
    reason, _, remedy = str(refusal).partition("; ")
    assert type(refusal) is kind
    assert part in reason
    assert remedy.endswith(".")


def test_a_model_without_workers_and_predictions_is_not_in_use() -> None:
    assert model_in_use("m", workers=0, unfinished=0) is None
