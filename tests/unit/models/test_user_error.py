"""What an exception of the user's code says."""

import time

import pytest

from zypher.models.loader import load
from zypher.models.model import LoadedModel
from zypher.models.user_error import headline, user_traceback
from zypher.models.user_model import user_model_of


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such colour."), "ValueError: no such colour."),
        (ValueError(), "ValueError"),
        (KeyError("name"), "KeyError: 'name'"),
        (RuntimeError("one\n  two\n"), "RuntimeError: one two"),
        (Unspeakable(), "Unspeakable: (its message cannot be read)"),
        (ValueError("\ud800"), "ValueError: ?"),
    ],
)
def test_a_headline_is_one_line(error: Exception, line: str) -> None:
    assert headline(error) == line


def test_a_headline_is_short() -> None:
    assert len(headline(ValueError("x" * 100_000))) < 2_100


def model_of(predict: object) -> LoadedModel:
    return LoadedModel(user_model_of(predict, "predict"))


def fail() -> None:
    raise ValueError("inner \ud800")


def test_a_traceback_has_only_the_users_frames() -> None:
    def predict(_: object) -> None:
        try:
            fail()
        except ValueError as error:
            raise LookupError("outer") from error

    with pytest.raises(LookupError) as caught:
        model_of(predict).predict(None)
    text = user_traceback(caught.value)

    assert "in predict\n    raise LookupError" in text
    assert "in fail\n    raise ValueError" in text
    assert "was the direct cause" in text
    assert "src/zypher" not in text
    assert text.endswith("LookupError: outer\n")
    assert text.encode()


def test_the_mock_counts_as_the_user_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise TimeoutError

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(TimeoutError) as caught:
        load("zypher.models.mock:mock_model_predict").predict("text")

    assert "in mock_model_predict" in user_traceback(caught.value)


def test_exceptions_in_groups_are_trimmed_too() -> None:
    def predict(_: object) -> None:
        try:
            fail()
        except ValueError as error:
            raise ExceptionGroup("several", [error]) from None

    with pytest.raises(ExceptionGroup) as caught:
        model_of(predict).predict(None)
    text = user_traceback(caught.value)

    assert "in fail" in text
    assert "src/zypher" not in text
