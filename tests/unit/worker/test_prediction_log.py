"""What the log says of a prediction that ended."""

import json
import logging
from datetime import UTC, datetime

import pytest

from tests.fake_clock import FakeClock
from zypher.engines.contract import Settlement
from zypher.prediction import Delivery, Message, Outcome, Status
from zypher.settings import LogFormat, LogSettings
from zypher.worker import prediction_log
from zypher.worker.prediction_log import PredictionLog

DELIVERY = Delivery(Message("id", "m", b'"secret"', datetime(2026, 1, 2, tzinfo=UTC)), attempt=2, receipt="r")
CLOCK = FakeClock(datetime(2026, 1, 2, 0, 0, 3, tzinfo=UTC))
OUTCOME = Outcome(Status.SUCCEEDED, output=b'"private"', run_s=0.5)
SETTLEMENT = Settlement(DELIVERY, OUTCOME)


def test_values_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        PredictionLog(LogSettings(format=LogFormat.JSON), CLOCK).settled([SETTLEMENT], [True])

    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert vars(record)["prediction_id"] == "id"
    assert vars(record)["status"] == "succeeded"
    assert (vars(record)["waited_s"], vars(record)["run_s"]) == (2.5, 0.5)
    assert "secret" not in str(vars(record))
    assert "private" not in str(vars(record))


def test_values_are_logged_when_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        PredictionLog(LogSettings(format=LogFormat.JSON, values=True), CLOCK).settled([SETTLEMENT], [True])

    (record,) = caplog.records
    assert vars(record)["input"] == '"secret"'
    assert vars(record)["output"] == '"private"'


def test_an_outcome_that_came_too_late_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    PredictionLog(LogSettings(format=LogFormat.JSON, values=True), CLOCK).settled([SETTLEMENT], [False])

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert vars(record)["prediction_id"] == "id"
    assert "private" not in str(vars(record))


def test_people_see_each_prediction_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        PredictionLog(LogSettings(format=LogFormat.HUMAN), CLOCK).settled([SETTLEMENT], [True])

    (record,) = caplog.records
    assert vars(record)["prediction_id"] == "id"
    assert "secret" not in str(vars(record))


@pytest.mark.parametrize("shown", [LogFormat.JSON, LogFormat.HUMAN])
def test_an_own_log_has_the_same_line_as_a_record(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, shown: LogFormat
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(prediction_log, "write_lines", lines.append)
    monkeypatch.setattr(prediction_log, "is_ours", lambda: True)
    log = PredictionLog(LogSettings(format=shown), CLOCK)
    with caplog.at_level(logging.INFO):
        log.settled([SETTLEMENT], [True])

    (line,) = lines
    said = {"prediction_id": "id", "attempt": 2, "status": "succeeded", "waited_s": 2.5, "run_s": 0.5}
    if shown is LogFormat.JSON:
        assert said.items() <= json.loads(line).items()
    else:
        assert "INFO    prediction ended prediction_id=id attempt=2 status=succeeded waited_s=2.5" in line
    assert line.endswith("\n")
