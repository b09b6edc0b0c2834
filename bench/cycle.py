"""The asynchronous cycle of a client: submit some predictions, read each of them, begin again."""

from time import perf_counter

from bench.load import Caller, run_load
from bench.predictions import read, submit
from bench.processes import Server

_CONNECTIONS = 64
_AT_ONCE = 8
_LIMIT_S = 60.0


def cycles_per_s(server: Server, for_s: float) -> float:
    """Predictions per second that were submitted, polled and read."""
    started = perf_counter()
    read_at = cycle(server, for_s)
    return len(read_at) / (read_at[-1] - started)


def cycle(server: Server, for_s: float) -> list[float]:
    """When each prediction was read, in order; all connections begin again until so many seconds have passed."""
    read_at: list[float] = []
    run_load(server.port, [_submit_and_read(for_s, read_at) for _ in range(_CONNECTIONS)], _LIMIT_S)
    return read_at


def _submit_and_read(for_s: float, read_at: list[float]) -> Caller:
    until = perf_counter() + for_s
    while perf_counter() < until:
        submitted: list[str] = []
        while len(submitted) < _AT_ONCE:
            submitted.append((yield from submit()))
        for prediction_id in submitted:
            yield from read(prediction_id)
            read_at.append(perf_counter())
