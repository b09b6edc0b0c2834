"""The noun's name."""

from datetime import UTC, datetime, timedelta

from zypher.prediction import new_prediction_id

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
