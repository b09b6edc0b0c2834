import pytest

from zypher.http.errors import HttpError
from zypher.http.preferences import (
    LONGEST_KEY,
    LONGEST_WAIT_S,
    Preferences,
    applied,
    longest_wait_s,
    read_preferences,
    read_wait_s,
)
from zypher.http.request import Headers


def headers(name: str, *values: str) -> Headers:
    return {b"host": b"x", name.encode(): ", ".join(values).encode("latin-1")}


@pytest.mark.parametrize(
    ("values", "respond_async"),
    [
        (["true"], True),
        (["TRUE"], True),
        (["1"], True),
        (["Yes"], True),
        (["false"], False),
        (["0"], False),
        (["nO"], False),
        (["true", "1"], True),
        (["true, yes"], True),
    ],
)
def test_async_mode_is_a_word_for_yes_or_no(values: list[str], respond_async: bool) -> None:
    assert read_preferences(headers("async-mode", *values)).respond_async is respond_async


@pytest.mark.parametrize("values", [["maybe"], [""], ["2"], ["true", "false"], ["true,"], ["\xff"], ["true false"]])
def test_any_other_async_mode_is_refused(values: list[str]) -> None:
    with pytest.raises(HttpError) as refused:
        read_preferences(headers("async-mode", *values))
    assert refused.value.status == 400
    assert "Async-Mode" in str(refused.value)


@pytest.mark.parametrize(
    ("values", "respond_async", "wait_s"),
    [
        (["respond-async"], True, None),
        (["Respond-Async"], True, None),
        (["respond-async; priority=5"], True, None),
        (["wait=10"], False, 10),
        (['wait="10"'], False, 10),
        ([" wait = 10 ; x"], False, 10),
        (["respond-async, wait=10"], True, 10),
        (["respond-async", "wait=10"], True, 10),
        (["wait=10, respond-async"], True, 10),
        (["wait=10, wait=20"], False, 10),
        (["wait=0"], False, 0),
        (["wait=" + "9" * 5000], False, LONGEST_WAIT_S),
        (['handling=lenient, note="a, respond-async"'], False, None),
        (["wait=-1"], False, None),
        (["wait=soon"], False, None),
        (["wait"], False, None),
        (["wait=²"], False, None),
        ([""], False, None),
        ([",,;;=,"], False, None),
        (['"'], False, None),
        (['note="\\"respond-async'], False, None),
    ],
)
def test_prefer_is_parsed_by_rfc_7240(values: list[str], respond_async: bool, wait_s: int | None) -> None:
    preferences = read_preferences(headers("prefer", *values))
    assert (preferences.respond_async, preferences.wait_s) == (respond_async, wait_s)


def test_a_long_preference_is_read_quickly() -> None:
    assert read_preferences(headers("prefer", '"\\' * 30_000 + ",respond-async")) == Preferences()


def test_async_mode_overrules_prefer() -> None:
    preferences = read_preferences({b"async-mode": b"false", b"prefer": b"respond-async"})
    assert not preferences.respond_async
    assert applied(preferences, None, accepted=False) == ()


@pytest.mark.parametrize("value", ["k", "a b", '"quoted"', "x" * LONGEST_KEY])
def test_an_idempotency_key_is_taken_as_it_is(value: str) -> None:
    assert read_preferences(headers("idempotency-key", value)).idempotency_key == value


@pytest.mark.parametrize("value", ["", " ", "é", "a\tb", "x" * (LONGEST_KEY + 1)])
def test_an_impossible_idempotency_key_is_refused(value: str) -> None:
    with pytest.raises(HttpError, match="Idempotency-Key"):
        read_preferences(headers("idempotency-key", value))


def test_without_prefer_the_wait_is_unlimited() -> None:
    preferences = read_preferences({b"host": b"x"})
    assert preferences == Preferences()
    assert longest_wait_s(preferences, None) is None


@pytest.mark.parametrize(
    ("preferences", "cap_s", "wait_s"),
    [
        (Preferences(), 3.0, 3.0),
        (Preferences(respond_async=True), None, 0),
        (Preferences(respond_async=True), 3.0, 0),
        (Preferences(respond_async=True, wait_s=5), None, 5),
        (Preferences(wait_s=5), None, 5),
        (Preferences(wait_s=5), 3.0, 3.0),
        (Preferences(wait_s=2), 3.0, 2),
    ],
)
def test_the_shortest_wait_counts(preferences: Preferences, cap_s: float | None, wait_s: float | None) -> None:
    assert longest_wait_s(preferences, cap_s) == wait_s


def test_applied_preferences_are_those_that_were_honoured() -> None:
    preferences = Preferences(respond_async=True, prefers_async=True, wait_s=5)
    assert applied(preferences, 5, accepted=True) == ((b"preference-applied", b"respond-async, wait=5"),)
    assert applied(preferences, 5, accepted=False) == ((b"preference-applied", b"wait=5"),)
    assert applied(preferences, 3, accepted=True) == ((b"preference-applied", b"respond-async"),)
    assert applied(Preferences(respond_async=True), 0, accepted=True) == ()


def test_the_wait_of_a_query() -> None:
    assert read_wait_s(b"") == 0
    assert read_wait_s(b"x=1") == 0
    assert read_wait_s(b"wait=10&x=1") == 10
    assert read_wait_s(b"wait=10&wait=10") == 10
    assert read_wait_s(b"wait=100000") == LONGEST_WAIT_S
