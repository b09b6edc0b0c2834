"""Synchronous no-op predictions.

All server processes on the first core, the load on the second. 64 connections are kept, each with one request after
another, for 1.5 s a round; the servers take turns, round by round. In zypher the model runs in a replica process and
the prediction takes the whole way through the engine; FastAPI awaits the same model in its handler (uvicorn with uvloop
and httptools, no access log); the raw ASGI application only sends the body back. zypher runs twice, without and with a
line in the log for each request; the line's cost is the difference of the two in CPU time per request.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from bench.figure import Figure
from bench.load import Load, run_load
from bench.predictions import predict
from bench.processes import Server
from bench.report import Script
from bench.servers import INPUT, NOOP, OUTPUT, fastapi, raw_asgi, zypher

_CONNECTIONS = 64
_ROUNDS = 9
_CROWDED_S = 1.5
_ALONE_S = 0.6
_WARM_UP_S = 0.5
_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class _Busy:
    """A server under the load of all connections."""

    per_cpu_s: float  # requests
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class _Round:
    ours: _Busy  # without a line for each request
    logged: _Busy  # with one
    theirs: _Busy
    ours_alone_ms: float
    raw_alone_ms: float


def measure() -> list[Figure]:
    with zypher(NOOP, "--no-access-log") as ours, zypher(NOOP) as logged, fastapi() as theirs, raw_asgi() as raw:
        for server, body in ((ours, OUTPUT), (logged, OUTPUT), (theirs, OUTPUT), (raw, INPUT)):
            _load(server, _CONNECTIONS, _WARM_UP_S, body)
        return _figures([_round(ours, logged, theirs, raw) for _ in range(_ROUNDS)])


def _round(ours: Server, logged: Server, theirs: Server, raw: Server) -> _Round:
    return _Round(
        ours=busy(ours),
        logged=busy(logged),
        theirs=busy(theirs),
        ours_alone_ms=_load(ours, 1, _ALONE_S, OUTPUT).percentile_ms(50),
        raw_alone_ms=_load(raw, 1, _ALONE_S, INPUT).percentile_ms(50),
    )


def busy(server: Server) -> _Busy:
    before_s = server.cpu_s()
    load = _load(server, _CONNECTIONS, _CROWDED_S, OUTPUT)
    used_s = server.cpu_s() - before_s
    return _Busy(len(load.latencies_s) / used_s, load.percentile_ms(50), load.percentile_ms(99))


def _load(server: Server, connections: int, for_s: float, body: bytes) -> Load:
    return run_load(server.port, [predict(for_s, body) for _ in range(connections)], _LIMIT_S)


def _figures(rounds: list[_Round]) -> list[Figure]:
    return [
        Figure(
            "requests per CPU-second of all server processes, zypher / FastAPI",
            "×",
            tuple(r.ours.per_cpu_s / r.theirs.per_cpu_s for r in rounds),
            at_least=2.0,
        ),
        Figure("p99, zypher / FastAPI", "×", tuple(r.ours.p99_ms / r.theirs.p99_ms for r in rounds), at_most=0.7),
        Figure(
            "CPU time of a request's line in the log",
            "µs",
            tuple(1e6 / r.logged.per_cpu_s - 1e6 / r.ours.per_cpu_s for r in rounds),
            at_most=15.0,
        ),
        Figure(
            "1 connection: p50 above raw ASGI",
            "ms",
            tuple(r.ours_alone_ms - r.raw_alone_ms for r in rounds),
            at_most=0.5,
        ),
        *_details("zypher", [r.ours for r in rounds]),
        *_details("zypher with access lines", [r.logged for r in rounds]),
        *_details("FastAPI", [r.theirs for r in rounds]),
        Figure("1 connection: p50, zypher", "ms", tuple(r.ours_alone_ms for r in rounds)),
        Figure("1 connection: p50, raw ASGI", "ms", tuple(r.raw_alone_ms for r in rounds)),
    ]


def _details(name: str, rounds: list[_Busy]) -> Iterator[Figure]:
    yield Figure(f"requests per CPU-second, {name}", "/s", tuple(r.per_cpu_s for r in rounds))
    yield Figure(f"p50, {name}", "ms", tuple(r.p50_ms for r in rounds))
    yield Figure(f"p99, {name}", "ms", tuple(r.p99_ms for r in rounds))


SCRIPT = Script("sync_noop", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
