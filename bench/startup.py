"""Start and rest.

Neither the server nor the client is bound to a core. From the execution of `zypher serve` with a no-op model in an
empty folder to the first 200 of a `POST /predict`, tried again every 2 ms; then memory (PSS of all processes together)
after 2 s without a request. The mock's is taken 2 s after it is ready. Every round in a server of its own.
"""

import sys
import time

from bench.figure import ROUNDS, Figure
from bench.processes import MIB, Server, run_server
from bench.report import Script
from bench.servers import INPUT, MOCK, NOOP, zypher

_IDLE_S = 2.0


def measure() -> list[Figure]:
    rounds = [(*_noop(), _mock_mib()) for _ in range(ROUNDS)]
    return [
        Figure("start to first 200", "s", tuple(start_s for start_s, _, _ in rounds), at_most=1.0),
        Figure("idle memory, no-op model", "MiB", tuple(mib for _, mib, _ in rounds), at_most=75),
        Figure("idle memory, mock", "MiB", tuple(mib for _, _, mib in rounds), at_most=75),
    ]


def _noop() -> tuple[float, float]:
    """Seconds to the first 200, MiB at rest."""
    with run_server("zypher", "serve", NOOP, "--port", "{port}", pinned=False) as server:
        server.wait_for("POST", "/predict", INPUT)
        start_s = time.perf_counter() - server.started_at
        return start_s, _idle_mib(server)


def _mock_mib() -> float:
    with zypher(MOCK, pinned=False) as server:
        return _idle_mib(server)


def _idle_mib(server: Server) -> float:
    time.sleep(_IDLE_S)
    return server.pss_bytes() / MIB


SCRIPT = Script("startup", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
