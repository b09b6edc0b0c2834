import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zypher.telemetry.formats import (
    HumanFormatter,
    JsonFormatter,
    LineFormatter,
    current_prediction_id,
    print_record,
)
from zypher.text import printable

_TIME = re.compile(r"^\d\d:\d\d:\d\d|(?<=\"ts\": \")[^\"]+")
UNSHOWN = set(map(chr, [*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E, 0x2066])) - {"\n", "\t"}


class Evil:
    def __str__(self) -> str:
        raise RuntimeError("no text for you")

    __repr__ = __str__


def record(
    message: object = "said", *args: object, name: str = "zypher.room", extra: Mapping[str, object] | None = None
) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(
        name, logging.WARNING, __file__, 1, message, args, exc_info=None, extra=extra
    )


def raised() -> logging.LogRecord:
    try:
        raise ValueError("no such colour")
    except ValueError:
        return logging.LogRecord("zypher.room", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())


def as_json(made: logging.LogRecord) -> dict[str, object]:
    line = JsonFormatter().format(made)
    assert "\n" not in line
    assert line.isascii()
    return json.loads(line)


def as_human(made: logging.LogRecord) -> str:
    """The line without its time."""
    return HumanFormatter().format(made).partition(" ")[2]


def test_a_json_line_has_time_level_message_logger_and_extras() -> None:
    made = record("lease lost", extra={"prediction_id": "abc", "attempt": 2, "late_s": 0.5, "alone": True})
    line = as_json(made)
    instant = datetime.fromisoformat(str(line.pop("ts")))
    assert instant.tzinfo == UTC
    assert abs(instant.timestamp() - made.created) < 0.001
    assert line == {
        "level": "warning",
        "message": "lease lost",
        "logger": "zypher.room",
        "prediction_id": "abc",
        "attempt": 2,
        "late_s": 0.5,
        "alone": True,
    }


def test_an_extra_cannot_replace_the_level() -> None:
    assert as_json(record(extra={"level": "debug", "ts": 1}))["level"] == "warning"


def test_an_exception_is_a_field_of_its_json_line() -> None:
    exception = as_json(raised())["exception"]
    assert isinstance(exception, str)
    assert exception.endswith("ValueError: no such colour")


def test_a_human_line_has_time_level_message_and_pairs() -> None:
    made = record("lease lost", extra={"attempt": 2, "reason": "it was late", "url": "http://[::1]:1/a"})
    line = HumanFormatter().format(made)
    time, _, rest = line.partition(" ")
    assert len(time) == len("12:34:56")
    assert rest == 'WARNING lease lost attempt=2 reason="it was late" url="http://[::1]:1/a"'


def test_a_human_line_names_other_loggers() -> None:
    assert as_human(record(name="asyncio")) == "WARNING said logger=asyncio"


def test_more_lines_follow_indented() -> None:
    made = record("first\nsecond", extra={"details": "Traceback:\n  here\n", "attempt": 1})
    assert as_human(made) == "WARNING first attempt=1\n    second\n    Traceback:\n      here"


def test_an_exception_follows_indented() -> None:
    lines = as_human(raised()).split("\n")
    assert lines[0] == "ERROR   failed"
    assert lines[-1] == "    ValueError: no such colour"


def test_arguments_that_do_not_fit_are_shown_beside_the_text() -> None:
    made = record("%d apples", "two")
    assert as_json(made)["message"] == "%d apples ('two',) (TypeError)"
    assert as_human(made) == "WARNING %d apples ('two',) (TypeError)"


def test_what_cannot_be_shown_is_named() -> None:
    made = record("said %s", Evil(), extra={"odd": Evil(), "huge": 10**5000, "nan": float("nan")})
    assert as_json(made)["odd"] == "<Evil: RuntimeError>"
    assert as_json(made)["huge"] == "<int: ValueError>"
    assert as_json(made)["nan"] == "nan"
    assert 'odd="<Evil: RuntimeError>"' in as_human(made)


def test_the_running_prediction_is_named_unless_the_record_names_one() -> None:
    token = current_prediction_id.set("running")
    try:
        assert as_json(record())["prediction_id"] == "running"
        assert as_json(record(extra={"prediction_id": "given"}))["prediction_id"] == "given"
        assert "prediction_id" not in as_json(record(extra={"prediction_id": None}))
    finally:
        current_prediction_id.reset(token)
    assert "prediction_id" not in as_json(record())


@given(st.text(), st.text(), st.text())
def test_no_text_forges_a_line_or_commands_a_terminal(message: str, key: str, value: str) -> None:
    made = record(message)
    made.__dict__["x" + key] = value
    human = HumanFormatter().format(made)
    assert not UNSHOWN & set(human)
    assert all(line.startswith("    ") for line in human.split("\n")[1:])
    assert as_json(made)["message"] == message
    human.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢\tand\n", "plain é 漢\tand\n"),
        ("\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m"),
        ("\r\x07\x9b2J\u202e\ud800", "\\u000d\\u0007\\u009b2J\\u202e\\ud800"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize("shown", [HumanFormatter(), JsonFormatter()])
@pytest.mark.parametrize("text", ["a word", "a  ", "@", '"', "\\", "\x1b[2J", "\x7f", "é", "\ud800", "{}", "%s"])
def test_prints_are_written_as_their_records_are(shown: LineFormatter, text: str) -> None:
    for prediction_id in (None, "abc"):
        lines = {shown.prints(prediction_id)(text), shown.format(print_record(text, prediction_id))}
        assert len({_TIME.sub("", line) for line in lines}) == 1


def test_json_has_no_control_characters() -> None:
    assert "\x7f" not in JsonFormatter().format(record("".join(map(chr, range(256)))))


@pytest.mark.parametrize("shown", [HumanFormatter(), JsonFormatter()])
@pytest.mark.parametrize("letter", ["x", "\n", "\x00", "\U0001f600"])
def test_a_record_that_is_too_long_keeps_its_ends(shown: LineFormatter, letter: str) -> None:
    made = record(f"begin {letter * 500_000}", extra={"prediction_id": "abc", "values": letter * 500_000 + " end"})
    line = shown.shortened(made)
    assert len(line) < 800 * 1024
    assert "begin" in line
    assert "end" in line
    assert "prediction_id" in line
    assert "characters left out" in line
    assert line.count("\n") == line.count("\n    ")
    if isinstance(shown, JsonFormatter):
        about = json.loads(line)
        assert {key: about[key] for key in ("level", "logger", "prediction_id")} == {
            "level": "warning",
            "logger": "zypher.room",
            "prediction_id": "abc",
        }
