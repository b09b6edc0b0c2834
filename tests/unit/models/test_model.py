"""The loaded model: what it states of itself, and its beginning and end."""

import math
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from zypher.errors import OutputError, TargetError
from zypher.models.model import LoadedModel
from zypher.models.user_model import user_model_of


def served(found: object) -> LoadedModel:
    return LoadedModel(user_model_of(found, "thing"))


class Plain:
    def predict(self, text: str) -> str:
        return text


class Stating:
    """Says it all."""

    name = "renamed"
    concurrency = 16

    def predict(self, text: str) -> str:
        return text


def test_name_and_concurrency_are_the_models_own_or_defaults() -> None:
    plain, stating = served(Plain).card, served(Stating).card

    assert (plain.name, plain.concurrency, plain.description) == ("Plain", 1, "")
    assert (stating.name, stating.concurrency, stating.description) == ("renamed", 16, "Says it all.")


def test_a_description_is_not_inherited() -> None:
    class Child(Stating):
        pass

    assert served(Child).card.description == ""


def test_a_function_states_them_as_attributes() -> None:
    def predict(text: str) -> str:
        return text

    vars(predict).update(name="function", concurrency=5)

    assert (served(predict).card.name, served(predict).card.concurrency) == ("function", 5)


@pytest.mark.parametrize(
    ("states", "such"),
    [
        ({"concurrency": 0}, "`concurrency` that `predict` states must be a whole number from 1, not 0"),
        ({"timeout_s": -1}, "`timeout_s` that `predict` states must be a number of seconds, 0 for no limit, not -1"),
        ({"timeout_s": math.inf}, "0 for no limit, not inf"),
        ({"nan": "none"}, "`nan` that `predict` states must be \"null\" or left out, not 'none'"),
        ({"name": ""}, "`name` that `predict` states must be a text, not ''"),
    ],
)
def test_an_impossible_statement_is_refused(states: dict[str, object], such: str) -> None:
    def predict(text: str) -> str:
        return text

    vars(predict).update(states)

    with pytest.raises(TargetError) as caught:
        served(predict)
    assert such in str(caught.value)


class Own:
    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)

    def predict(self, text: str) -> float:
        return float(text)


@pytest.mark.parametrize(
    "attributes",
    [
        {"name": 5},
        {"name": None},
        {"name": print},
        {"concurrency": "4"},
        {"concurrency": True},
        {"timeout_s": "30"},
        {"nan": math.nan},
    ],
)
def test_attributes_of_another_type_are_the_authors_own(attributes: dict[str, object]) -> None:
    card = served(Own(**attributes)).card

    assert (card.name, card.concurrency, card.timeout_s) == ("Own", 1, None)


@pytest.mark.parametrize("timeout_s", [0, 0.5, 30])
def test_a_model_may_state_its_time_limit(timeout_s: float) -> None:
    assert served(Own(timeout_s=timeout_s)).card.timeout_s == timeout_s


def test_a_model_may_state_that_nan_is_null() -> None:
    assert served(Own(nan="null")).encode_output(math.nan) == b"null"
    with pytest.raises(OutputError):
        served(Own()).encode_output(math.nan)


@pytest.mark.parametrize("attribute", ["name", "concurrency", "timeout_s", "nan"])
def test_a_property_that_raises_is_named(attribute: str) -> None:
    def explode(_: object) -> object:
        raise LookupError("no such weights")

    kind = type("Exploding", (Own,), {attribute: property(explode)})

    with pytest.raises(TargetError) as caught:
        served(kind)
    assert str(caught.value) == (
        f"Reading the `{attribute}` that `Exploding.predict` states raised LookupError: no such weights."
    )
    assert "in explode" in caught.value.details


class Calling:
    """Is called."""

    def setup(self) -> None:
        self.factor = 2

    async def __call__(self, number: int) -> int:
        return number * self.factor


async def test_a_class_that_is_called_is_set_up() -> None:
    model = served(Calling)
    model.setup()

    output: Any = model.predict(model.decode_input(b"4"))

    assert await output == 8
    assert (model.card.name, model.card.description, model.is_async) == ("Calling", "Is called.", True)


async def coroutine(text: str) -> str:
    return text


class Async:
    async def predict(self, text: str) -> str:
        return text


class AsyncCall:
    async def __call__(self, text: str) -> str:
        return text


@pytest.mark.parametrize(
    ("found", "is_async"), [(coroutine, True), (Async, True), (AsyncCall(), True), (Plain, False), (len, False)]
)
def test_async_models_are_recognized(found: object, is_async: bool) -> None:
    assert served(found).is_async is is_async


def generator(text: str) -> Iterator[str]:
    yield text


async def async_generator(text: str) -> AsyncIterator[str]:
    yield text


@pytest.mark.parametrize("found", [generator, async_generator])
def test_a_generator_is_refused(found: object) -> None:
    with pytest.raises(TargetError, match="yields, but a prediction has one output"):
        served(found)


class Steps:
    def __init__(self) -> None:
        self.steps: list[str] = []

    def predict(self, _: object) -> list[str]:
        return self.steps


class SyncSteps(Steps):
    def setup(self) -> None:
        self.steps.append("setup")

    def close(self) -> None:
        self.steps.append("close")


class AsyncSteps(Steps):
    async def setup(self) -> None:
        self.steps.append("setup")

    async def close(self) -> None:
        self.steps.append("close")


@pytest.mark.parametrize("kind", [SyncSteps, AsyncSteps])
async def test_setup_and_close_are_called_and_awaited(kind: type) -> None:
    model = served(kind)

    for pending in (model.setup(), model.close()):
        if pending is not None:
            await pending

    assert model.predict(None) == ["setup", "close"]


def test_both_are_optional() -> None:
    assert served(Plain).setup() is None
    assert served(Plain).close() is None
    assert served(len).setup() is None


class Exploding:
    failure: BaseException = ValueError("no weights")

    def setup(self) -> None:
        raise self.failure

    async def close(self) -> None:
        raise self.failure

    def predict(self, _: object) -> None: ...


@pytest.mark.parametrize(
    ("failure", "headline"),
    [
        (ValueError("no weights"), "ValueError: no weights"),
        (SystemExit(1), "SystemExit: 1"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
async def test_an_exception_in_setup_shows_the_users_traceback(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException, headline: str
) -> None:
    monkeypatch.setattr(Exploding, "failure", failure)
    model = served(Exploding)

    with pytest.raises(TargetError) as setting_up:
        model.setup()
    with pytest.raises(TargetError) as closing:
        await (model.close() or pytest.fail("close is to be awaited"))

    assert str(setting_up.value) == f"`Exploding.setup` raised {headline}."
    assert str(closing.value) == f"`Exploding.close` raised {headline}."
    assert "in setup\n    raise self.failure" in setting_up.value.details
    assert "zypher/models" not in setting_up.value.details
