"""One word, one thing, and one place that reads the time."""

import ast
import re

import pytest

from tests.source import called, named, source_files

RIGHT_WORD = {
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
_MEASURES_RUNS = ("worker/attempts.py", "time.perf_counter")  # in the child process, which nobody gives a clock
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


def test_a_timeout_says_its_unit() -> None:
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
        if not (file.path.match(_MEASURES_RUNS[0]) and name == _MEASURES_RUNS[1])
    ] == []


def test_no_unit_test_sleeps() -> None:
    assert [
        f"{file.at(call.lineno)}: {name}"
        for file in source_files("tests/unit")
        for name, call in called(file.tree)
        if name in _SLEEPS and not _yields_only(call)
    ] == []


def test_the_search_finds_what_it_looks_for() -> None:
    tree = ast.parse("from time import sleep\nimport time\nsleep(1)\nx = time.monotonic()\nclass JobQueue: ...")
    assert [name for name, _ in called(tree)] == ["time.sleep", "time.monotonic"]
    assert [_words(name) for _, name in named(tree) if name != "x"] == [["job", "queue"]]


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def _yields_only(call: ast.Call) -> bool:
    return [ast.unparse(argument) for argument in call.args] == ["0"]
