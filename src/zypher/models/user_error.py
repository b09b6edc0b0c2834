"""An exception of the user's code as a sentence and a traceback, without our frames."""

import traceback
from collections import deque
from pathlib import Path

import msgspec

from zypher.errors import TargetError
from zypher.text import encodable

# What reading or writing a value raises because of that value. Anything else, such as a MemoryError or the
# TimeoutError of a signal handler, says nothing about it.
ABOUT_A_VALUE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)

_LONGEST = 2_000  # characters of an exception's message that are repeated
_MOST_CAUSES = 20
_PACKAGE = str(Path(__file__).parent.parent)
_MOCK = str(Path(__file__).with_name("mock.py"))


def headline(error: BaseException) -> str:
    """The exception in one line, such as `ValueError: no such colour`."""
    kind = type(error).__name__
    try:
        message = " ".join(str(error).split())
    except BaseException:
        message = "(its message cannot be read)"
    if len(message) > _LONGEST:
        message = message[:_LONGEST] + "…"
    return encodable(f"{kind}: {message}" if message else kind)


def user_traceback(error: BaseException) -> str:
    """The traceback, ready to print, with the frames of the user's code and of what it called."""
    report = traceback.TracebackException.from_exception(error, compact=True)
    _trim(report)
    return encodable("".join(report.format()))


def _trim(report: traceback.TracebackException) -> None:
    """Take our frames out, and what an exception was caused by beyond the first few."""
    reports = deque([report])
    for _ in range(_MOST_CAUSES):
        if not reports:
            return
        each = reports.popleft()
        each.stack = traceback.StackSummary.from_list(f for f in each.stack if not _is_ours(f.filename))
        reports += [other for other in (each.__cause__, each.__context__, *(each.exceptions or ())) if other]
    for each in reports:
        each.__cause__ = each.__context__ = None
        each.exceptions = None


def _is_ours(filename: str) -> bool:
    if filename.startswith("<frozen importlib") or filename.endswith("importlib/__init__.py"):
        return True
    return filename.startswith(_PACKAGE) and filename != _MOCK


def target_error(what: str, error: BaseException) -> TargetError:
    """An exception of user code as a `TargetError`: `what`, such as "Importing `digits`", raised in the user's code."""
    return TargetError(f"{what} raised {headline(error).removesuffix('.')}.", user_traceback(error))
