"""The noun, and which of its changes are legal."""

from datetime import UTC, datetime, timedelta

import pytest

from zypher.prediction import Status, may_become, new_prediction_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_ids_are_short_distinct_and_sort_by_time() -> None:
    ids = [new_prediction_id(NOW + timedelta(milliseconds=each)) for each in range(1_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {len(each) for each in ids} == {26}
    assert set("".join(ids)) <= set("0123456789abcdefghijklmnopqrstuv")


def test_eighty_bits_of_an_id_are_random() -> None:
    ids = [int(new_prediction_id(NOW)[10:], 32) for _ in range(200)]
    ever_set, ever_clear = 0, 0
    for each in ids:
        ever_set |= each
        ever_clear |= ~each

    assert ever_set == (1 << 80) - 1
    assert ever_clear & (1 << 80) - 1 == (1 << 80) - 1


@pytest.mark.parametrize(
    ("before", "after", "legal"),
    [
        (Status.QUEUED, Status.RUNNING, True),
        (Status.QUEUED, Status.CANCELLED, True),
        (Status.QUEUED, Status.SUCCEEDED, False),
        (Status.RUNNING, Status.QUEUED, True),
        (Status.RUNNING, Status.SUCCEEDED, True),
        (Status.SUCCEEDED, Status.QUEUED, False),
        (Status.FAILED, Status.SUCCEEDED, False),
    ],
)
def test_legal_changes(before: Status, after: Status, legal: bool) -> None:
    assert may_become(before, after) is legal
