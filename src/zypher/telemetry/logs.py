"""The log of a process: where its records go."""

import logging
import os

from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.formats import formatter
from zypher.telemetry.log_writer import standard_error

_root = logging.getLogger()


class _Handler(logging.Handler):
    """Writes records to standard error, and never waits for who reads it."""

    def emit(self, record: logging.LogRecord) -> None:
        write_lines(self.format(record) + "\n")


def configure(log: LogSettings) -> None:
    """Write this process's records, and its warnings, to the standard error.

    May happen twice; the last one counts. Afterwards logging never prints an error of its own.
    """
    handler = _Handler()
    handler.setFormatter(formatter(chosen_format(log)))
    logging.basicConfig(handlers=[handler], level=log.level.upper(), force=True)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False
    logging.getLogger("asyncio").setLevel(logging.WARNING)  # its debug records are noise


def is_ours() -> bool:
    """Whether records of this process go where `write_lines` writes, and nowhere else."""
    return [type(handler) for handler in _root.handlers] == [_Handler]


def write_lines(lines: str) -> None:
    """Write whole lines to the log, between two records."""
    standard_error.write(lines.encode(errors="backslashreplace"))


def count_dropped(lines: int) -> None:
    """Count lines that the log does not get."""
    standard_error.count_dropped(lines)


def chosen_format(log: LogSettings) -> LogFormat:
    """`human` or `json`: what `auto` means for this process's standard error."""
    if log.format is not LogFormat.AUTO:
        return log.format
    return LogFormat.HUMAN if _is_terminal() else LogFormat.JSON


def _is_terminal() -> bool:
    try:
        return os.isatty(2)
    except OSError:
        return False
