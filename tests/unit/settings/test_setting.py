import pytest
from hypothesis import given
from hypothesis import strategies as st

from zypher.settings import SETTINGS, Setting, meant, shown


@given(st.sampled_from(SETTINGS), st.text() | st.integers().map(str) | st.floats().map(str))
def test_any_text_is_a_value_of_its_type_or_refused(setting: Setting, text: str) -> None:
    try:
        value = setting.from_text(text)
    except ValueError:
        return
    assert isinstance(value, setting.kind)


@given(st.sampled_from(SETTINGS), st.none() | st.integers() | st.floats() | st.lists(st.integers()) | st.booleans())
def test_any_toml_value_has_its_type_or_is_refused(setting: Setting, written: object) -> None:
    try:
        value = setting.from_value(written)
    except ValueError:
        return
    assert isinstance(value, setting.kind)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_default_is_allowed_and_survives_a_round_trip(setting: Setting) -> None:
    if setting.default is not None:
        assert setting.from_text(shown(setting.default)) == setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_is_explained_by_a_sentence(setting: Setting) -> None:
    assert setting.rule.help[0].isupper()
    assert setting.rule.help.endswith(".")


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("--workers", ["--worker", "--replicas"], "--replicas"),
        ("ZYPHER_WORKERS", ["ZYPHER_WORKER", "ZYPHER_REPLICAS"], "ZYPHER_REPLICAS"),
        ("workers", ["worker", "replicas"], "replicas"),
        ("--num-workers", ["--replicas"], "--replicas"),
        ("--workers", ["--worker"], "--worker"),
        ("--prot", ["--port"], "--port"),
        ("--xyz", ["--port"], None),
    ],
)
def test_another_servers_name_suggests_ours(word: str, known: list[str], near: str | None) -> None:
    assert meant(word, known) == near
