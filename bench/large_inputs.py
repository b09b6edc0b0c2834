"""Large inputs: texts beside FastAPI, and whether anybody else waits for lists.

Texts: one connection sends an ASCII text of 1 MB, or of 10 MB, again and again, and the model answers with its length.
FastAPI awaits the same model in its handler (uvicorn with uvloop and httptools, no access log). All server processes on
the first core, the load on the second; the servers take turns, round by round, 40 texts of 1 MB or 10 of 10 MB a round.
Memory is the proportional one (PSS) of all processes of zypher, read every 10 ms while texts of 10 MB are sent, above
what it was before the first; and 10 s later.

Lists: eight clients send a list of 1,150,000 small structs each, 9 MB, again and again, while one connection asks for
/healthz/live every 5 ms; all server processes on the first core, the load on the second. Each round lasts 5 s.
"""

import sys
from time import perf_counter

from bench.figure import ROUNDS, Figure
from bench.large_texts import text_figures
from bench.load import Caller, expect, request, run_load
from bench.processes import Server
from bench.report import Script
from bench.servers import BULK, zypher

_CLIENTS = 8
_ROUND_S = 5.0
_PAUSE_S = 0.005
_LIMIT_S = 60.0

_LARGE = request("POST", "/predict", b'{"input": [' + b'{"a":1},' * 1_150_000 + b'{"a":1}]}')
_LIVE = request("GET", "/healthz/live")


def measure() -> list[Figure]:
    return [*text_figures(), *_list_figures()]


def _list_figures() -> list[Figure]:
    with zypher(BULK, "--no-access-log") as server:
        rounds = [_round(server) for _ in range(ROUNDS)]
    waits = [sorted(waits_ms) for waits_ms, _ in rounds]
    return [
        Figure("/healthz/live under large inputs: p99", "ms", tuple(w[int(len(w) * 0.99)] for w in waits), at_most=100),
        Figure("/healthz/live under large inputs: worst", "ms", tuple(w[-1] for w in waits), at_most=250),
        Figure("large inputs answered", "/s", tuple(count / _ROUND_S for _, count in rounds)),
    ]


def _round(server: Server) -> tuple[list[float], int]:
    """How long each probe took, and how many inputs were answered."""
    waits_ms: list[float] = []
    answered: list[float] = []
    until = perf_counter() + _ROUND_S
    callers = [_probe(waits_ms, until), *(_send(answered, until) for _ in range(_CLIENTS))]
    run_load(server.port, callers, _LIMIT_S)
    return waits_ms, len(answered)


def _probe(waits_ms: list[float], until: float) -> Caller:
    while perf_counter() < until:
        yield _PAUSE_S
        began = perf_counter()
        expect((yield _LIVE), 200)
        waits_ms.append((perf_counter() - began) * 1000)


def _send(answered: list[float], until: float) -> Caller:
    while perf_counter() < until:
        expect((yield _LARGE), 200)
        answered.append(perf_counter())


SCRIPT = Script("large_inputs", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
