"""The fault suite's own eyes: what is lost, wrong or doubled does not pass unseen."""

import hashlib

import msgspec
import pytest

from tests.chaos.ledger import Ledger, Result
from tests.chaos.question import Question

QUESTION = Question(7, "text", 0.0, raises=False)


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.accepted("id", QUESTION, key="k")
    return ledger


def output(number: int = 7, text: str = "text", run: str = "a") -> Result:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Result(msgspec.json.encode({"number": number, "digest": digest, "run": run}))


def test_one_right_result_read_twice_is_as_it_should_be(ledger: Ledger) -> None:
    assert ledger.open() == ["id"]
    ledger.read("id", output())
    ledger.read("id", output())
    assert (ledger.lost(), ledger.wrong(), ledger.doubled(), ledger.open()) == ([], [], [], [])
    assert (ledger.least_readings(), ledger.ends()) == (2, {"succeeded": 1})


def test_without_a_result_it_is_lost(ledger: Ledger) -> None:
    assert ledger.lost() == ["id"]


def test_unknown_once_is_lost_for_ever(ledger: Ledger) -> None:
    ledger.missed("id")
    ledger.read("id", output())
    assert ledger.lost() == ["id"]


@pytest.mark.parametrize(
    "result", [output(number=8), output(text="other"), Result(b"{}"), Result(b"nonsense"), Result(error="ValueError")]
)
def test_another_answer_is_wrong(ledger: Ledger, result: Result) -> None:
    ledger.read("id", result)
    assert len(ledger.wrong()) == 1


def test_a_lost_worker_is_a_stated_failure(ledger: Ledger) -> None:
    ledger.read("id", Result(error="Prediction failed: worker_lost: the process that ran it died 3 times"))
    assert (ledger.wrong(), ledger.ends()) == ([], {"lost its workers": 1})
    assert ledger.given_up() == [QUESTION]


def test_what_was_to_fail_must_fail_as_asked() -> None:
    ledger = Ledger()
    for each in ("failed", "other", "succeeded"):
        ledger.accepted(each, Question(7, "text", 0.0, raises=True))
    ledger.read("failed", Result(error="Prediction failed: ValueError: asked to fail number 7"))
    ledger.read("other", Result(error="Prediction failed: ValueError: asked to fail number 8"))
    ledger.read("succeeded", output())
    assert [each.partition(",")[0] for each in ledger.wrong()] == ["other", "succeeded"]


def test_the_result_of_a_second_run_is_doubled(ledger: Ledger) -> None:
    ledger.read("id", output(run="a"))
    ledger.read("id", output(run="b"))
    assert (len(ledger.doubled()), ledger.wrong()) == (1, [])


def test_a_result_that_is_taken_back_is_doubled(ledger: Ledger) -> None:
    assert not ledger.has_result("id")
    ledger.read("id", output())
    assert ledger.has_result("id")
    ledger.undone("id")
    assert len(ledger.doubled()) == 1


def test_a_key_with_two_predictions_is_doubled(ledger: Ledger) -> None:
    ledger.accepted("id", QUESTION, key="k")
    assert ledger.doubled() == []
    ledger.accepted("id2", QUESTION, key="k")
    assert ledger.doubled() == ["key k: ['id', 'id2']"]


def test_an_invalid_response_to_a_wait_is_unexpected(ledger: Ledger) -> None:
    ledger.answered(QUESTION, output())
    ledger.answered(QUESTION, output(number=8))
    assert (ledger.synchronous, len(ledger.strange)) == (2, 1)
