"""Large texts, beside FastAPI: a part of `bench.large_inputs`."""

from time import sleep
from typing import NamedTuple

from bench.figure import ROUNDS, Figure
from bench.load import Caller, WrongAnswer, expect, request, run_load
from bench.processes import MIB, ROOT, Server
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
_KEPT_MIB = 4.0  # less than half of a text

_TEXTS = {name: request("POST", "/predict", b'{"input": "' + b"x" * size + b'"}') for name, size in _SIZES.items()}


class _Round(NamedTuple):
    """What one text takes, of a server in one round."""

    p50_ms: float
    cpu_ms: float  # of all its processes


def text_figures() -> list[Figure]:
    with zypher(_LENGTH, "--no-access-log") as ours, uvicorn("bench.peers.fastapi_length:app") as theirs:
        theirs.wait_for("POST", "/predict", INPUT)
        ours.wait_for("POST", "/predict", INPUT)
        memory = _memory(ours)
        return [figure for name in _SIZES for figure in _beside(name, ours, theirs)] + memory


def _beside(name: str, ours: Server, theirs: Server) -> list[Figure]:
    for server in (ours, theirs):
        _round(server, name)
    pairs = [(_round(ours, name), _round(theirs, name)) for _ in range(_ROUNDS)]
    p50 = tuple(a.p50_ms / b.p50_ms for a, b in pairs)
    cpu = tuple(a.cpu_ms / b.cpu_ms for a, b in pairs)
    return [
        Figure(f"a text of {name}: p50, zypher / FastAPI", "×", p50, at_most=_MOST),
        Figure(f"a text of {name}: CPU time, zypher / FastAPI", "×", cpu, at_most=_MOST),
        Figure(f"a text of {name}: p50, zypher", "ms", tuple(a.p50_ms for a, _ in pairs)),
        Figure(f"a text of {name}: p50, FastAPI", "ms", tuple(b.p50_ms for _, b in pairs)),
    ]


def _round(server: Server, name: str) -> _Round:
    before_s = server.threads_cpu_s()
    load = run_load(server.port, [_send(name, _REQUESTS[name])], _LIMIT_S)
    return _Round(load.percentile_ms(50), (server.threads_cpu_s() - before_s) * 1000 / _REQUESTS[name])


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
    for _ in range(ROUNDS):
        with Sampler(lambda: server.pss_bytes() / MIB, _SAMPLE_S) as memory:
            _round(server, "10 MB")
        peaks.append((max(memory.values) - idle_mib) / body_mib)
        sleep(_LATER_S)
        later.append(server.pss_bytes() / MIB - idle_mib)
    return [
        Figure("texts of 10 MB: most memory above the idle one", "bodies", tuple(peaks), at_most=4),
        Figure("10 s later: memory above the idle one", "MiB", tuple(later), at_most=_KEPT_MIB),
    ]
