"""How a log record is written: a line for people, or a line of JSON. Neither ever raises.

Everything given as `extra=` is written. A record made while a prediction runs has its
`prediction_id`, whichever logger made it.
"""

import json
import logging
import math
import re
from abc import abstractmethod
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime

from zypher.settings import LogFormat
from zypher.text import encodable, printable

current_prediction_id: ContextVar[str | None] = ContextVar("current_prediction_id", default=None)

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_BARE = re.compile(r"[\w.,:/@+%-]+")
_KEPT = frozenset({"name", "levelname", "levelno", "created", "prediction_id"})
_PLACE = "@"  # of a text, in front of which there is none
_LONGEST_END = 32_768  # characters, each of which JSON may write as twelve


class LineFormatter(logging.Formatter):
    """Writes records, and of many prints at once only the text of each."""

    @abstractmethod
    def text(self, text: str) -> str:
        """A text of one line as it stands in a record."""

    def prints(self, prediction_id: str | None) -> Callable[[str], str]:
        """What makes a `print_record` of now of each text, written."""
        head, _, tail = self.format(print_record(_PLACE, prediction_id)).partition(_PLACE)
        return lambda text: f"{head}{self.text(text)}{tail}"

    def shortened(self, record: logging.LogRecord) -> str:
        """A record that is too long, cut: the two ends of its text and all that goes with it, in less than 800 KiB."""
        extras = [f"{key}={_text(value)}" for key, value in _extras(record).items() if key != "prediction_id"]
        text = "\n".join(part for part in (_message(record), *extras, _exception(self, record)) if part)
        left_out = f" … {len(text) - 2 * _LONGEST_END:,} characters left out … "
        text = f"{text[:_LONGEST_END]}{left_out}{text[-_LONGEST_END:]}"
        short = logging.makeLogRecord({key: value for key, value in vars(record).items() if key in _KEPT})
        short.msg = text
        return self.format(short)


class HumanFormatter(LineFormatter):
    """Time, level, message and key=value; what has several lines follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        shown = {key: _text(value) for key, value in _extras(record).items()}
        if not record.name.startswith("zypher"):
            shown["logger"] = record.name
        first_line, newline, more = _message(record).rstrip().partition("\n")
        head = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname:<7} {first_line}"
        pairs = [f" {key}={_quoted(value)}" for key, value in shown.items() if "\n" not in value]
        blocks = [f"\n{value.rstrip()}" for value in (*shown.values(), _exception(self, record)) if "\n" in value]
        return printable("".join([head, *pairs, newline, more, *blocks])).replace("\n", "\n    ")

    def text(self, text: str) -> str:
        return printable(text.rstrip())


class JsonFormatter(LineFormatter):
    """One JSON object in ASCII on one line; what is not JSON is written as text."""

    def format(self, record: logging.LogRecord) -> str:
        instant = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "ts": instant,
            "level": record.levelname.lower(),
            "message": _message(record),
            "logger": record.name,
        }
        for key, value in _extras(record).items():
            line.setdefault(key, _plain(value))
        if exception := _exception(self, record):
            line["exception"] = exception
        return _in_json(line)

    def text(self, text: str) -> str:
        return _in_json(text)[1:-1]


def formatter(chosen: LogFormat) -> LineFormatter:
    """That of a format, which is not `auto`."""
    return JsonFormatter() if chosen is LogFormat.JSON else HumanFormatter()


def shown_of(line: bytes) -> str:
    """The text of a printed line; of one that was drawn again and again, such as a progress bar, the last state."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="backslashreplace")


def print_record(text: str, prediction_id: str | None) -> logging.LogRecord:
    """A line that the model printed, as a record; made without a logger, whose settings are the model's."""
    record = logging.LogRecord("model", logging.INFO, "", 0, text, None, None)
    record.prediction_id = prediction_id
    return record


def _extras(record: logging.LogRecord) -> dict[str, object]:
    about: dict[str, object] = {"prediction_id": current_prediction_id.get()}
    about |= {_text(key): value for key, value in vars(record).items() if key not in _OWN}
    if about["prediction_id"] is None:
        del about["prediction_id"]
    return about


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # its arguments do not fit its text, or cannot be shown
        return f"{_text(record.msg)} {_text(record.args)} ({type(error).__name__})"


def _exception(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    raised = formatter.formatException(record.exc_info) if record.exc_info else record.exc_text
    return "\n".join(part for part in (raised, record.stack_info) if part)


def _in_json(value: object) -> str:
    shown = json.dumps(value)
    if "\\ud" in shown:  # half of a surrogate pair perhaps, which most readers of JSON refuse
        shown = json.dumps(json.loads(encodable(json.dumps(value, ensure_ascii=False))))
    return shown.replace("\x7f", "\\u007f")  # the one control character that is left


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) < 2**63:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    return _text(value)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # the user's own `__str__` raised
        return f"<{type(value).__name__}: {type(error).__name__}>"


def _quoted(text: str) -> str:
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
