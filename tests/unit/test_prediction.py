"""The noun's name."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

from zypher.prediction import may_be_of, new_prediction_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_ids_are_short_distinct_and_sort_by_time() -> None:
    ids = [new_prediction_id(NOW + timedelta(milliseconds=each), "model") for each in range(1_000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {len(each) for each in ids} == {28}
    assert set("".join(ids)) <= set("0123456789abcdefghijklmnopqrstuv")


def test_75_bits_of_an_id_are_random() -> None:
    ids = [int(new_prediction_id(NOW, "model")[10:25], 32) for _ in range(200)]
    ever_set, ever_clear = 0, 0
    for each in ids:
        ever_set |= each
        ever_clear |= ~each

    assert ever_set == (1 << 75) - 1
    assert ever_clear & (1 << 75) - 1 == (1 << 75) - 1


def test_ids_of_two_processes_have_nothing_random_in_common() -> None:
    program = (
        "import random; random.seed(0); from datetime import UTC, datetime; "
        "from zypher.prediction import new_prediction_id; "
        "print(*(new_prediction_id(datetime(2026, 1, 2, tzinfo=UTC), 'm')[10:] for _ in range(20)))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(2)
    ]
    first, second = (set(run.stdout.split()) for run in runs)
    assert len(first) == len(second) == 20
    assert first.isdisjoint(second)


def test_an_id_is_of_its_model_and_hardly_of_another() -> None:
    models = [f"model {each}" for each in range(300)] + ["", "schön", "\udce9"]
    for model in models:
        prediction_id = new_prediction_id(NOW, model)
        assert may_be_of(prediction_id, model)
        assert sum(may_be_of(prediction_id, other) for other in models) <= 3


def test_an_older_id_may_be_of_any_model() -> None:
    assert may_be_of("01jdrdla001u8q0lbku0t92nbi", "model")
    assert may_be_of("", "model")
