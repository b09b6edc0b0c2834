"""One word, one thing, and one place that reads the time."""

import ast
import re
from pathlib import Path

import pytest

from tests.source import ROOT, SourceFile, called, named, source_files

RIGHT_WORD = {  # in every name of the package
    "ack": "settle",
    "acknowledge": "settle",
    "backend": "engine",
    "defer": "submit",
    "dlq": "dead letter",
    "driver": "engine",
    "enqueue": "submit",
    "enqueued": "submitted or queued",
    "job": "prediction",
    "jobs": "predictions",
    "nack": "release",
    "payload": "input or output",
    "predictor": "model",
    "predictors": "models",
    "ttl": "retention",
    "uid": "prediction_id",
    "visibility": "lease",
}

PLAIN_WORD = {  # in the names of the package and of its tests
    "attend": "wait for",
    "bell": "wake",
    "complain": "print_error",
    "foreign": "libraries, or the library's name",
    "foresaw": "unexpected",
    "hangup": "disconnect",
    "haste": "at_once",
    "hear": "receive",
    "heard": "notified",
    "hears": "receives",
    "knows": "has",
    "misfit": "input error",
    "nobody": "the missing role, such as an unread result",
    "nonsense": "invalid bytes",
    "observed": "monitored",
    "outlook": "snapshot",
    "overseen": "operator",
    "rang": "wake",
    "ring": "wake",
    "said": "reported",
    "says": "has, reports or prints",
    "somebody": "another user or caller",
    "spans": "histogram",
    "subject": "user_model",
    "tells": "reports",
    "told": "reported",
    "trial": "check",
    "truth": "bool",
    "vain": "for nothing",
    "whoever": "the role, such as a client",
}
_CHANNEL = ":told:"  # of format 1 in Redis, which older versions share
TEST_NAME_WORDS = 10
_RIDDLES_IN_TEXT = re.compile(
    r"\b(bears?|bore|foresaw|hears?|heard|told|tells?|whoever|nobody|somebody|knows|rings?)\b", re.IGNORECASE
)

_READS_TIME = {
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.time",
    "time.time_ns",
}
_MEASURES_RUNS = ("replica", "time.perf_counter")  # in the child process, which has no clock of ours
_SLEEPS = {"anyio.sleep", "asyncio.sleep", "time.sleep"}


@pytest.mark.parametrize("wrong", RIGHT_WORD)
def test_a_thing_has_one_word(wrong: str) -> None:
    found = [
        f"{file.at(line)}: {name}"
        for file in source_files("src")
        for line, name in [(1, file.path.stem), *named(file.tree)]
        if wrong in _words(name)
    ]
    assert found == [], f"The word is {RIGHT_WORD[wrong]}."


@pytest.mark.parametrize("riddle", PLAIN_WORD)
def test_names_are_plain_words(riddle: str) -> None:
    names = [
        (file, line, name) for file in source_files("src") for line, name in [(1, file.path.stem), *named(file.tree)]
    ]
    names += [(file, line, name) for file in source_files("tests") for line, name in _tests(file)]
    found = [f"{file.at(line)}: {name}" for file, line, name in names if riddle in _words(name)]
    assert found == [], f"Plainer is {PLAIN_WORD[riddle]}."


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "src/zypher/http/openapi.json"])
def test_documentation_is_in_plain_words(page: Path) -> None:
    if page.name != "CHANGELOG.md":
        assert _RIDDLES_IN_TEXT.findall(page.read_text()) == []


def test_docstrings_and_comments_are_in_plain_words() -> None:
    assert [
        f"{file.at(number)}: {line.strip()}"
        for file in source_files("src")
        for number, line in enumerate(file.text.splitlines(), start=1)
        if _RIDDLES_IN_TEXT.search(line.replace(_CHANNEL, ""))
    ] == []


def test_a_test_name_has_ten_words_at_most() -> None:
    assert [
        f"{file.at(line)}: {name}"
        for file in source_files("tests")
        for line, name in _tests(file)
        if name.removeprefix("test_").count("_") >= TEST_NAME_WORDS
    ] == []


def test_a_timeout_has_its_unit_in_its_name() -> None:
    assert [
        f"{file.at(node.lineno)}: {node.arg}"
        for file in source_files("src")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.arg) and _words(node.arg)[-1:] == ["timeout"]
    ] == []


def test_only_the_clock_reads_the_time() -> None:
    assert [
        f"{file.at(call.lineno)}: {name}"
        for file in source_files("src")
        for name, call in called(file.tree)
        if name in _READS_TIME and file.path.name != "clock.py"
        if not (_MEASURES_RUNS[0] in file.path.parts and name == _MEASURES_RUNS[1])
    ] == []


def test_no_unit_test_sleeps() -> None:
    assert [
        f"{file.at(call.lineno)}: {name}"
        for file in source_files("tests/unit")
        for name, call in called(file.tree)
        if name in _SLEEPS and not _yields_only(call)
    ] == []


def test_the_search_finds_names_and_calls() -> None:
    tree = ast.parse("from time import sleep\nimport time\nsleep(1)\nx = time.monotonic()\nclass JobQueue: ...")
    assert [name for name, _ in called(tree)] == ["time.sleep", "time.monotonic"]
    assert [_words(name) for _, name in named(tree) if name != "x"] == [["job", "queue"]]


def _tests(file: SourceFile) -> list[tuple[int, str]]:
    return [(each.lineno, each.name) for each in file.functions() if each.name.startswith("test_")]


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def _yields_only(call: ast.Call) -> bool:
    return [ast.unparse(argument) for argument in call.args] == ["0"]
