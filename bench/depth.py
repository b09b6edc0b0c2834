"""What an operation costs while few or many predictions wait.

Two servers, one with 10 and one with 100,000 durable predictions waiting, take turns; all server processes on the first
core, the load on the second. Their model runs one prediction at a time and lets as many through as a file says. Each
round submits 2,000 predictions on 64 connections, polls each of them twice while it waits, and then lets 2,000 through;
so the waiting ones grow from 10 (or 100,000) by 2,000 and shrink again. The cost is the CPU time of all server
processes per operation. To complete means: receive, run in the replica, store the result, until the last result can be
read.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bench.costs import details, ratios
from bench.figure import ROUNDS, Figure
from bench.load import Caller, expect, request, run_load
from bench.predictions import read, submit
from bench.processes import Server
from bench.report import Script
from bench.servers import GATED, zypher

_FEW = 10
_MANY = 100_000
_OPERATIONS = 2_000
_CONNECTIONS = 64
_QUEUE_LIMIT = "200000"
_LIMIT_S = 120.0
_POLLS = 2
_NEIGHBOURS_S = 0.2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Costs:
    """CPU microseconds of one operation."""

    submit: float
    poll: float
    complete: float


class _Line:
    """A server in which a number of predictions wait."""

    def __init__(self, server: Server, waiting: int) -> None:
        self._server = server
        self._let_through = 0
        self._open_gate(0)
        self._submitted = self._submit(waiting + 1)  # in order of their answers; one of them runs

    def round(self) -> _Costs:
        """Submit, poll and complete as many predictions; as many wait afterwards as before."""
        before_s = self._server.cpu_s()
        submitted = self._submit(_OPERATIONS)
        submitted_s = self._server.cpu_s()
        for _ in range(_POLLS):
            self._load([_poll_each(part) for part in _shares(submitted)])
        polled_s = self._server.cpu_s()
        self._submitted += submitted
        self._complete(_OPERATIONS)
        completed_s = self._server.cpu_s()
        return _Costs(
            submit=_us(submitted_s - before_s),
            poll=_us(polled_s - submitted_s) / _POLLS,
            complete=_us(completed_s - polled_s),
        )

    def _submit(self, count: int) -> list[str]:
        submitted: list[str] = []
        self._load([_submit_many(len(share), submitted) for share in _shares(range(count))])
        return submitted

    def _complete(self, count: int) -> None:
        self._open_gate(self._let_through + count)
        self._load([read(self._submitted[self._let_through - 1], wait_s=60)])
        # The last to be accepted need not be the last that was answered: its neighbours may still be running.
        time.sleep(_NEIGHBOURS_S)

    def _open_gate(self, let_through: int) -> None:
        (self._server.directory / "gate").write_text(str(let_through))
        self._let_through = let_through

    def _load(self, callers: Sequence[Caller]) -> None:
        run_load(self._server.port, callers, _LIMIT_S)


def measure() -> list[Figure]:
    limit = ("--queue-limit", _QUEUE_LIMIT)
    with zypher(GATED, *limit) as short, zypher(GATED, *limit) as long:
        few, many = _Line(short, _FEW), _Line(long, _MANY)
        few.round()  # warms up
        rounds = [(few.round(), many.round()) for _ in range(ROUNDS)]
    few, many = [few for few, _ in rounds], [many for _, many in rounds]
    return [*ratios(_OPERATION_COSTS, few, many), *details(_OPERATION_COSTS, few, many)]


def _submit_many(count: int, submitted: list[str]) -> Caller:
    for _ in range(count):
        prediction_id = yield from submit()
        submitted.append(prediction_id)


def _poll_each(prediction_ids: Sequence[str]) -> Caller:
    for prediction_id in prediction_ids:
        expect((yield request("GET", f"/predict/{prediction_id}")), 400)


def _shares(items: Sequence[T]) -> list[Sequence[T]]:
    """Divided among the connections."""
    return [items[start::_CONNECTIONS] for start in range(min(_CONNECTIONS, len(items)))]


def _us(cpu_s: float) -> float:
    return cpu_s / _OPERATIONS * 1e6


_OPERATION_COSTS: dict[str, Callable[[_Costs], float]] = {
    "submit": lambda costs: costs.submit,
    "poll": lambda costs: costs.poll,
    "complete": lambda costs: costs.complete,
}


SCRIPT = Script("depth", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
