import pytest

from zypher.engines.refusals import inputs_full, key_reused, queue_full, schema_conflict, stopping
from zypher.errors import (
    DataFull,
    EngineUnavailable,
    IdempotencyKeyReused,
    QueueFull,
    SchemaConflict,
    ZypherError,
)


@pytest.mark.parametrize(
    ("refusal", "kind", "part"),
    [
        (stopping(), EngineUnavailable, "is stopping"),
        (queue_full("m", 5), QueueFull, "5 predictions wait for m,"),
        (inputs_full("m", 1_572_864), DataFull, "wait for m have the 1.5 MiB that they may"),
        (key_reused(), IdempotencyKeyReused, "another input"),
        (schema_conflict("m", "w"), SchemaConflict, "The worker w serves m with other"),
    ],
)
def test_a_refusal_has_its_reason_and_a_remedy(refusal: ZypherError, kind: type[ZypherError], part: str) -> None:
    reason, _, remedy = str(refusal).partition("; ")
    assert type(refusal) is kind
    assert part in reason
    assert remedy.endswith(".")
