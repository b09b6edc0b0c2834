"""Another version beside this one: `python -m bench.compare /path/to/another/clone`.

15 pairs, in turn this first and the other first. Each figure is this version's value by the other's in one pair: the
median, and in brackets the interval that holds the true median with 96 % (ranks 4 and 12 of 15). Servers and load as in
`bench.sync_noop`, `bench.async_durable`, `bench.redis_http` and `bench.startup`; both servers run all the time.
"""

import contextlib
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import redis_http
from bench.async_durable import burst_per_s
from bench.cycle import cycles_per_s
from bench.processes import MIB, ROOT, Server, run_server
from bench.redis_http import round_of
from bench.servers import INPUT, NOOP
from bench.sync_noop import busy

_PAIRS = 15
_RANKS = (3, 11)  # of the sorted pairs, from 0
_CYCLE_S = 2.0
_IDLE_S = 1.0
_WARM_UP = 2


def main() -> int:
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "src/zypher").is_dir():
        print("usage: python -m bench.compare /path/to/another/clone", file=sys.stderr)
        return 2
    trees = (ROOT, Path(sys.argv[1]))
    with contextlib.ExitStack() as servers:
        both = [servers.enter_context(_serve(tree)) for tree in trees]
        for server in both:
            server.wait_for("GET", "/healthz/ready")
        _report("synchronous requests per CPU-second", lambda which: busy(both[which]).per_cpu_s)
        _report("durable submissions per second", lambda which: burst_per_s(both[which]))
        _report("durable cycles per second", lambda which: cycles_per_s(both[which], _CYCLE_S))
    with contextlib.ExitStack() as services:
        through = [services.enter_context(redis_http.zypher(_environment(tree))) for tree in trees]
        _report("CPU of all servers for a cycle through Redis", lambda which: round_of(through[which], _CYCLE_S).cpu_us)
    starts = [[_start(tree) for tree in trees] for _ in range(_PAIRS)]
    _print("start to first 200, seconds", [ours[0] / theirs[0] for ours, theirs in starts])
    _print("idle memory (PSS), MiB", [ours[1] / theirs[1] for ours, theirs in starts])
    return 0


def _serve(tree: Path, *, pinned: bool = True) -> contextlib.AbstractContextManager[Server]:
    command = ("zypher", "serve", NOOP, "--port", "{port}", "--no-access-log")
    return run_server(*command, pinned=pinned, environment=_environment(tree))


def _environment(tree: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(tree / "src")}


def _report(figure: str, measure: Callable[[int], float]) -> None:
    for _ in range(_WARM_UP):
        for which in (0, 1):
            measure(which)
    ratios: list[float] = []
    for pair in range(_PAIRS):
        values = {which: measure(which) for which in ((0, 1) if pair % 2 else (1, 0))}
        ratios.append(values[0] / values[1])
    _print(figure, ratios)


def _start(tree: Path) -> tuple[float, float]:
    """Seconds to the first 200, MiB at rest."""
    with _serve(tree, pinned=False) as server:
        server.wait_for("POST", "/predict", INPUT)
        start_s = time.perf_counter() - server.started_at
        time.sleep(_IDLE_S)
        return start_s, server.pss_bytes() / MIB


def _print(figure: str, ratios: list[float]) -> None:
    low, high = (sorted(ratios)[rank] for rank in _RANKS)
    print(f"{figure:<46} {statistics.median(ratios):.2f} ({low:.2f}-{high:.2f}) × this / other", flush=True)


if __name__ == "__main__":
    sys.exit(main())
