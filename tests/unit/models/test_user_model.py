"""What can be served: functions, classes, instances; and why a thing cannot."""

import functools
from collections.abc import Callable
from typing import NoReturn

import pytest

import zypher.models
from zypher.errors import TargetError
from zypher.models.model import LoadedModel
from zypher.models.user_model import user_model_of


def served(found: object, name: str = "thing") -> LoadedModel:
    return LoadedModel(user_model_of(found, name))


def refusal(found: object) -> str:
    with pytest.raises(TargetError) as caught:
        served(found)
    return str(caught.value)


class Doubling:
    """Twice as much."""

    def predict(self, number: int) -> int:
        return number * 2


class Configured:
    def __init__(self, factor: int = 3) -> None:
        self.factor = factor

    def predict(self, number: int) -> int:
        return number * self.factor

    def __call__(self, number: int) -> NoReturn:
        raise AssertionError


class Adding:
    """Calls."""

    def __call__(self, number: int) -> int:
        return number + 1


class Static:
    @staticmethod
    def predict(number: int) -> int:
        return number - 1


def nameless() -> Callable[[int], int]:
    return lambda number: number


def multiply(factor: int, number: int) -> int:
    return factor * number


@pytest.mark.parametrize(
    ("found", "name", "output"),
    [
        (Doubling, "Doubling", 10),
        (Doubling(), "Doubling", 10),
        (Configured, "Configured", 15),
        (Configured(4), "Configured", 20),
        (Adding, "Adding", 6),
        (Adding(), "thing", 6),
        (Static, "Static", 4),
        (functools.partial(multiply, 7), "thing", 35),
        (nameless(), "thing", 5),
        (Doubling().predict, "predict", 10),
    ],
)
def test_what_can_be_called_with_an_input_is_served(found: object, name: str, output: int) -> None:
    model = served(found)

    assert model.card.name == name
    assert model.predict(model.decode_input(b"5")) == output


@pytest.mark.parametrize(
    "found",
    [Doubling, Doubling(), Configured, Adding, Adding(), Static, functools.partial(multiply, 7), Doubling().predict],
)
def test_its_hints_are_found(found: object) -> None:
    assert served(found).card.input_schema == {"type": "integer"}


def takes_nothing() -> None: ...


class TakesNothing:
    def predict(self) -> None: ...


@pytest.mark.parametrize(
    ("found", "label"),
    [
        (takes_nothing, "takes_nothing"),
        (TakesNothing, "TakesNothing.predict"),
    ],
)
def test_a_model_without_a_parameter_is_refused(found: Callable[..., None], label: str) -> None:
    assert refusal(found) == f"`{label}` takes no input: give it a parameter."


def test_a_decorator_without_manners_hides_the_hints_and_no_more() -> None:
    def predict(*args: object, **kwargs: object) -> object:
        return args

    assert served(predict).card.input_schema == {}
    assert served(predict).predict("x") == ("x",)


class NoPredict:
    def forecast(self, number: int) -> int:
        return number


class Demanding:
    def __init__(self, path: str, size: int, depth: int = 1) -> None: ...

    def predict(self, number: int) -> int:
        return number


class Raising:
    def __init__(self) -> None:
        raise SystemExit("no licence")

    def predict(self, number: int) -> int:
        return number


@pytest.mark.parametrize(
    ("found", "such"),
    [
        (NoPredict, "The class `NoPredict` has no method `predict`"),
        (Demanding, "`Demanding()` requires `path`, `size`, but a model's class is called without arguments"),
        (Raising, "`Raising()` raised SystemExit: no licence."),
        (zypher.models, "`thing` is a module"),
        (42, "`thing` is a `int`, which cannot be called"),
        (None, "`thing` is a `NoneType`, which cannot be called"),
    ],
)
def test_what_cannot_be_called_is_refused(found: object, such: str) -> None:
    assert such in refusal(found)
