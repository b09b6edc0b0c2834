"""uvicorn's parsers, by an application that only sends the body back.

All server processes on the first core, the load on the second. 64 connections are kept, each with one request after
another, for 1 s a round; the parsers take turns. This is why `zypher serve` uses httptools.
"""

import contextlib
import sys

from bench.figure import Figure
from bench.load import run_load
from bench.predictions import predict
from bench.processes import Server
from bench.report import Script
from bench.servers import INPUT, raw_asgi

_PARSERS = ("httptools", "h11")
_CONNECTIONS = 64
_ROUNDS = 7
_FOR_S = 1.0
_LIMIT_S = 30.0


def measure() -> list[Figure]:
    with contextlib.ExitStack() as started:
        servers = {parser: started.enter_context(raw_asgi(parser)) for parser in _PARSERS}
        rounds = [{parser: _cpu_us(server) for parser, server in servers.items()} for _ in range(_ROUNDS)]
    return [
        *(Figure(f"CPU time of a request, {parser}", "µs", tuple(r[parser] for r in rounds)) for parser in _PARSERS),
        Figure("CPU time of a request, h11 / httptools", "×", tuple(r["h11"] / r["httptools"] for r in rounds)),
    ]


def _cpu_us(server: Server) -> float:
    before_s = server.cpu_s()
    load = run_load(server.port, [predict(_FOR_S, INPUT) for _ in range(_CONNECTIONS)], _LIMIT_S)
    return 1e6 * (server.cpu_s() - before_s) / len(load.latencies_s)


SCRIPT = Script("parsers", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
