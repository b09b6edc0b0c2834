"""A neighbour of a model that prints a lot, into a log that is not read.

One replica with two slots, and standard error is a pipe that is never read. In one slot a prediction runs for 3 s and
prints 10,000 lines a second, or none; meanwhile one connection sends predictions that end at once to the other slot,
one after another. The two kinds of neighbour take turns, round by round. The first chatty one has filled the pipe, and
what the server keeps for it, before anything is measured. All server processes on the first core, the load on the
second.
"""

import sys
from time import perf_counter

import msgspec

from bench.figure import ROUNDS, Figure
from bench.load import Caller, Load, expect, request, run_load
from bench.models.chatty import LINES_PER_S
from bench.processes import ROOT, Server, run_program
from bench.report import Script

_TARGET = f"{ROOT / 'bench/models/chatty.py'}:run"
_SERVE = f"{sys.executable} -m zypher serve {_TARGET} --port {{port}} --concurrency 2 --no-access-log --log-format json"
_COMMAND = f"mkfifo unread && exec 3<>unread && exec {_SERVE} 2>unread"
_ROUND_S = 3.0
_FILLING_S = 5.0
_LIMIT_S = 30.0


def measure() -> list[Figure]:
    with run_program("sh", "-c", _COMMAND) as server:
        server.wait_for("POST", "/predict", _body(0, talk=False))
        _round(server, _FILLING_S, talk=True)
        rounds = [(_round(server, _ROUND_S, talk=False), _round(server, _ROUND_S, talk=True)) for _ in range(ROUNDS)]
    silent = tuple(each.percentile_ms(99) for each, _ in rounds)
    chatty = tuple(each.percentile_ms(99) for _, each in rounds)
    ratios = tuple(c / s for c, s in zip(chatty, silent, strict=True))
    return [
        Figure("p99 beside a chatty neighbour / beside a silent one", "×", ratios, at_most=3),
        Figure("p99 beside a chatty neighbour", "ms", chatty),
        Figure("p99 beside a silent neighbour", "ms", silent),
    ]


def _round(server: Server, for_s: float, *, talk: bool) -> Load:
    """The load of the neighbour alone."""
    latencies_s: list[float] = []
    began_s = perf_counter()
    run_load(server.port, [_run(for_s, talk), _neighbour(for_s, latencies_s)], _LIMIT_S)
    return Load(perf_counter() - began_s, sorted(latencies_s))


def _run(for_s: float, talk: bool) -> Caller:
    printed = int(expect((yield request("POST", "/predict", _body(for_s, talk=talk))), 200))
    if talk and printed < 0.8 * LINES_PER_S * for_s:
        raise RuntimeError(f"Only {printed} lines were printed in {for_s} s.")


def _neighbour(for_s: float, latencies_s: list[float]) -> Caller:
    until_s = perf_counter() + for_s - 0.1
    ask = request("POST", "/predict", _body(0, talk=False))
    while (began_s := perf_counter()) < until_s:
        expect((yield ask), 200)
        latencies_s.append(perf_counter() - began_s)


def _body(for_s: float, *, talk: bool) -> bytes:
    return msgspec.json.encode({"input": {"for_s": for_s, "talk": talk}})


SCRIPT = Script("chatty", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
