"""What `zypher check` prints of what it found."""

import json

import msgspec
import pytest

from zypher.cli.check import show
from zypher.model_card import ModelCard
from zypher.prediction import Failure, FailureKind, Outcome, Status
from zypher.worker.check import CheckReport

CARD = ModelCard(
    name="Digits",
    description="Tells which digit a picture shows.",
    input_schema={"type": "array"},
    output_schema={"$ref": "#/components/schemas/Digit"},
    components={"Digit": {"type": "integer"}},
    concurrency=4,
)
LOADED = CheckReport(CARD, load_s=0.41, outcome=None)
RAN = msgspec.structs.replace(LOADED, outcome=Outcome(Status.SUCCEEDED, output=b"7", run_s=0.0125))
FAILURE = Failure(FailureKind.MODEL_ERROR, "ValueError: no digit")
FAILED = msgspec.structs.replace(LOADED, outcome=Outcome(Status.FAILED, failure=FAILURE))


def test_a_page_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(LOADED, as_json=False) == 0
    assert capsys.readouterr().out == (
        "Digits: loaded in 0.41 s, concurrency 4\n\n"
        "Tells which digit a picture shows.\n\n"
        'input schema\n{\n  "type": "array"\n}\n\n'
        'output schema\n{\n  "$ref": "#/components/schemas/Digit"\n}\n\n'
        'components\n{\n  "Digit": {\n    "type": "integer"\n  }\n}\n'
    )


def test_a_run_is_shown_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(RAN, as_json=False) == 0
    assert capsys.readouterr().out.endswith("\n\noutput, after 0.013 s\n7\n")


def test_a_failed_run_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(FAILED, as_json=False) == 1
    assert capsys.readouterr().err == "zypher: ValueError: no digit\n"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(RAN, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        **msgspec.structs.asdict(CARD),
        "load_s": 0.41,
        "status": "succeeded",
        "run_s": 0.0125,
        "output": 7,
        "failure": None,
    }


def test_json_of_a_failed_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(FAILED, as_json=True) == 1
    record = json.loads(capsys.readouterr().out)
    assert (record["status"], record["output"], record["failure"]) == ("failed", None, "ValueError: no digit")
