"""Large texts beside FastAPI.

One connection sends an ASCII text of 1 MB, or of 10 MB, again and again, and the model answers with its length. FastAPI
awaits the same model in its handler (uvicorn with uvloop and httptools, no access log). All server processes on the
first core, the load on the second; the servers take turns, round by round, and each round's latency is the median of
its requests. Memory is the proportional one (PSS) of all processes of zypher, read every 10 ms while texts of 10 MB are
sent, above what it was before them; and 10 s later.
"""

import sys
from statistics import median
from time import sleep

from bench.figure import Figure
from bench.load import Caller, WrongAnswer, expect, request, run_load
from bench.processes import MIB, ROOT, Server
from bench.report import Script
from bench.sampler import Sampler
from bench.servers import INPUT, uvicorn, zypher

_LENGTH = f"{ROOT}/bench/models/length.py:Length"
_SIZES = {"1 MB": 1_000_000, "10 MB": 10_000_000}  # characters
_REQUESTS = {"1 MB": 40, "10 MB": 10}  # of one round
_ROUNDS = 9
_MOST = 1.6
_LIMIT_S = 60.0
_SAMPLE_S = 0.01
_LATER_S = 10.0
_RETURNED_MIB = 2.0  # what may be left of a text's memory

_TEXTS = {name: request("POST", "/predict", b'{"input": "' + b"x" * size + b'"}') for name, size in _SIZES.items()}


def measure() -> list[Figure]:
    with zypher(_LENGTH, "--no-access-log") as ours, uvicorn("bench.peers.fastapi_length:app") as theirs:
        theirs.wait_for("POST", "/predict", INPUT)
        ours.wait_for("POST", "/predict", INPUT)
        memory = _memory(ours)
        return [figure for name in _SIZES for figure in _latencies(name, ours, theirs)] + memory


def _latencies(name: str, ours: Server, theirs: Server) -> list[Figure]:
    for server in (ours, theirs):
        _p50_ms(server, name)
    pairs = [(_p50_ms(ours, name), _p50_ms(theirs, name)) for _ in range(_ROUNDS)]
    return [
        Figure(f"a text of {name}: p50, zypher / FastAPI", "×", tuple(a / b for a, b in pairs), at_most=_MOST),
        Figure(f"a text of {name}: p50, zypher", "ms", tuple(a for a, _ in pairs)),
        Figure(f"a text of {name}: p50, FastAPI", "ms", tuple(b for _, b in pairs)),
    ]


def _p50_ms(server: Server, name: str) -> float:
    return run_load(server.port, [_send(name, _REQUESTS[name])], _LIMIT_S).percentile_ms(50)


def _send(name: str, count: int) -> Caller:
    for _ in range(count):
        body = expect((yield _TEXTS[name]), 200)
        if int(body) != _SIZES[name]:
            raise WrongAnswer(f"The text has {_SIZES[name]} characters, not {body.decode()}")


def _memory(server: Server) -> list[Figure]:
    """Of a server that has seen no large text yet."""
    body_mib = _SIZES["10 MB"] / MIB
    peaks: list[float] = []
    later: list[float] = []
    idle_mib = server.pss_bytes() / MIB
    for _ in range(5):
        with Sampler(lambda: server.pss_bytes() / MIB, _SAMPLE_S) as memory:
            _p50_ms(server, "10 MB")
        peaks.append((max(memory.values) - idle_mib) / body_mib)
        sleep(_LATER_S)
        later.append(server.pss_bytes() / MIB - idle_mib)
    return [
        Figure("texts of 10 MB: most memory above the idle one", "× body", tuple(peaks), at_most=4),
        Figure("10 s later: memory above the idle one", "MiB", tuple(later), at_most=_RETURNED_MIB),
        Figure("idle memory", "MiB", (idle_mib, median((idle_mib,)))[:1]),
    ]


SCRIPT = Script("large_texts", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
