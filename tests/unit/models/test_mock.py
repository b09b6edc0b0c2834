"""The built-in default model."""

import re
import time

import pytest

from zypher.models.loader import load


def test_the_mock_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    model = load("zypher.models.mock:mock_model_predict")

    output = model.predict("Sample input data for the model")

    written = re.fullmatch(
        rb'{"input":"Sample input data for the model","result":"(\d+)"}', model.encode_output(output)
    )
    assert written is not None
    assert 1_000 <= int(written[1]) <= 20_000
    assert 10 <= slept[0] <= 17
    assert model.card.concurrency == 1_000
    assert model.card.input_schema == {"type": "string"}
    assert model.card.output_schema == {"type": "object", "additionalProperties": {"type": "string"}}
