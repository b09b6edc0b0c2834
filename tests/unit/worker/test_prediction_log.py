"""What the log says of a prediction that ended."""

import logging
from datetime import UTC, datetime

import pytest

from zypher.prediction import Delivery, Message, Outcome, Status
from zypher.settings import LogFormat, LogSettings
from zypher.worker.prediction_log import PredictionLog

DELIVERY = Delivery(Message("id", "m", b'"secret"', datetime(2026, 1, 2, tzinfo=UTC)), attempt=2, receipt="r")
OUTCOME = Outcome(Status.SUCCEEDED, output=b'"private"', run_s=0.5)


def test_values_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        PredictionLog(LogSettings(format=LogFormat.JSON)).settled(DELIVERY, OUTCOME, counts=True)

    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert vars(record)["prediction_id"] == "id"
    assert vars(record)["status"] == "succeeded"
    assert "secret" not in str(vars(record))
    assert "private" not in str(vars(record))


def test_values_are_logged_when_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        PredictionLog(LogSettings(format=LogFormat.JSON, values=True)).settled(DELIVERY, OUTCOME, counts=True)

    (record,) = caplog.records
    assert vars(record)["input"] == '"secret"'
    assert vars(record)["output"] == '"private"'


def test_an_outcome_that_came_too_late_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    PredictionLog(LogSettings(format=LogFormat.JSON, values=True)).settled(DELIVERY, OUTCOME, counts=False)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert vars(record)["prediction_id"] == "id"
    assert "private" not in str(vars(record))


def test_people_see_each_prediction_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        PredictionLog(LogSettings(format=LogFormat.HUMAN)).settled(DELIVERY, OUTCOME, counts=True)

    (record,) = caplog.records
    assert vars(record)["prediction_id"] == "id"
    assert "secret" not in str(vars(record))
