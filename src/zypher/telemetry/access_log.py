"""The access log: a line for each request, and the metrics of all."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from zypher.clock import Clock
from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.logs import chosen_format, write_lines
from zypher.telemetry.metrics import Metrics

logger = logging.getLogger("zypher.access")

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class AccessEntry(NamedTuple):
    """One request and its answer."""

    method: str  # OTHER for one that HTTP does not define
    route: str  # the path as the table of routes has it, such as /predict/{prediction_id}; other for no route
    status: int  # 499 when the client went away before
    took_s: float
    prediction_id: str  # "" when the answer is not about a prediction
    sent_bytes: int  # of the body

    def named(self) -> dict[str, object]:
        """The fields by the names that they have in the log."""
        about: dict[str, object] = {"method": self.method, "route": self.route, "status": self.status}
        about |= {"duration_s": round(self.took_s, 6), "bytes": self.sent_bytes}
        return about | {"prediction_id": self.prediction_id} if self.prediction_id else about


Sink = Callable[[Sequence[AccessEntry]], None]


class AccessLog:
    """Counts answers, and gives those of one turn of the event loop to its sink together."""

    def __init__(self, metrics: Metrics, sink: Sink | None) -> None:
        self._metrics = metrics
        self._sink = sink
        self._gathered: list[AccessEntry] = []

    def answered(
        self, method: str, route: str, status: int, took_s: float, headers: Sequence[tuple[bytes, bytes]], sent: int
    ) -> None:
        """A response was sent; the first of its headers may be the prediction's id."""
        if method not in _METHODS:
            method = "OTHER"
        self._metrics.answered(method, route, status, took_s)
        if self._sink is not None:
            prediction_id = headers[0][1].decode() if headers and headers[0][0] == b"prediction-id" else ""
            if not self._gathered:
                asyncio.get_running_loop().call_soon(self._flush)
            self._gathered.append(AccessEntry(method, route, status, took_s, prediction_id, sent))

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        assert self._sink is not None
        self._sink(gathered)


def as_records(entries: Sequence[AccessEntry]) -> None:
    """The sink of a process whose log is not ours: a record of `logging` for each."""
    for entry in entries:
        logger.info("%s %s %d", entry.method, entry.route, entry.status, extra=entry.named())


def as_lines(log: LogSettings, clock: Clock) -> Sink | None:
    """The sink of a process whose log is ours: one write per batch; a record each would cost several times as much.

    None where the log leaves out what is less than a warning.
    """
    if not logger.isEnabledFor(logging.INFO):
        return None
    line = _json_line if chosen_format(log) is LogFormat.JSON else _human_line

    def write(entries: Sequence[AccessEntry]) -> None:
        now = clock.now()
        write_lines("".join([line(now, entry) for entry in entries]))

    return write


def _json_line(now: datetime, entry: AccessEntry) -> str:
    # No field but the id holds what a client chose, and that is of the id's alphabet.
    method, route, status, took_s, prediction_id, sent_bytes = entry
    about = f', "prediction_id": "{prediction_id}"' if prediction_id else ""
    return (
        f'{{"ts": "{now.isoformat(timespec="milliseconds")}", "level": "info", "message": "request", '
        f'"logger": "zypher.access", "method": "{method}", "route": "{route}", "status": {status}, '
        f'"duration_s": {took_s:.6f}, "bytes": {sent_bytes}{about}}}\n'
    )


def _human_line(now: datetime, entry: AccessEntry) -> str:
    method, route, status, took_s, prediction_id, sent_bytes = entry
    about = f" prediction_id={prediction_id}" if prediction_id else ""
    time = now.astimezone().strftime("%H:%M:%S")
    return f"{time} INFO    {method} {route} {status} duration_s={took_s:.6f} bytes={sent_bytes}{about}\n"
