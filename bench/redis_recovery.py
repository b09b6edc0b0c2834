"""What a dead or leaving process costs on Redis.

A service is one `zypher serve --no-worker` and two `zypher worker`, with a lease of 3 s; all services share one Redis,
each with a prefix of its own, and nothing is bound to a core. Killed is SIGKILL in the first moments of a prediction of
3 s, drained is SIGTERM to a worker that may finish nothing; the time is from the signal to the right answer for who
waits for it. These go on side by side with predictions of 8 s: 5 that sleep and 5 that hold the interpreter's lock for
6 s of it, each in a replica of its own. Then one service is alone: 100 predictions of 0.2 s are accepted, every process
of the service is killed once 25 have begun, and the time is from the first command of its restart to the last right
answer.
"""

import contextlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter, sleep

import psutil

from bench.deployment import front, redis, url, worker
from bench.figure import ROUNDS, Figure
from bench.load import Caller, WrongAnswer, request, run_load
from bench.predictions import submission, submit
from bench.processes import ROOT, Server, kill
from bench.report import Script

_TARGET = f"{ROOT}/bench/models/noted.py:Noted"
_LEASE = ("--lease-s", "3")
_RUN_S = 3.0
_LONG_S = 8
_HELD_S = 6
_SHORT_S = 0.2
_ACCEPTED = 100
_BEGUN = 25
_WAIT_S = 30
_LIMIT_S = 60.0
_LOOK_AGAIN_S = 0.005


@dataclass(frozen=True, slots=True)
class _Service:
    """A server and two workers, of a prefix of their own."""

    engine: str
    options: Sequence[str]  # of each worker
    stack: contextlib.ExitStack
    servers: list[Server] = field(default_factory=list[Server])  # as below
    workers: list[Server] = field(default_factory=list[Server])  # in the order of their starts, the dead ones, too
    numbers: "count[int]" = field(default_factory=count)

    def start(self) -> None:
        self.start_worker()
        self.start_worker()
        self.servers.append(self.stack.enter_context(front(self.engine, *_LEASE, pinned=False)))

    def start_worker(self) -> None:
        started = worker(self.engine, _TARGET, *_LEASE, *self.options, pinned=False)
        self.workers.append(self.stack.enter_context(started))

    def kill(self) -> None:
        kill([*self.workers, *self.servers])

    def submit(self, times: int, *, slept_s: float, held_s: int = 0) -> dict[str, int]:
        """So many predictions are accepted; their numbers by their ids."""
        accepted: dict[str, int] = {}
        spans = [{"number": next(self.numbers), "slept_s": slept_s, "held_s": held_s} for _ in range(times)]
        self._load([_submit(span, accepted) for span in spans])
        return accepted

    def read(self, accepted: dict[str, int]) -> int:
        """Wait for these; how many are answered rightly."""
        right: list[str] = []
        self._load([_read(prediction_id, number, right) for prediction_id, number in accepted.items()])
        return len(right)

    def runs(self) -> list[tuple[int, Server]]:
        """Every run that has begun: its prediction's number and its worker."""
        return [(number, each) for each in self.workers for number in _noted(each)]

    def begun(self, times: int) -> list[tuple[int, Server]]:
        """The runs, as soon as they are so many."""
        while len(runs := self.runs()) < times:
            sleep(_LOOK_AGAIN_S)
        return runs

    def _load(self, callers: Sequence[Caller]) -> None:
        run_load(self.servers[-1].port, callers, _LIMIT_S)


def measure() -> list[Figure]:
    with redis() as broker:
        side_by_side = _side_by_side(url(broker))
        with _service(url(broker), "all", "--concurrency", "8") as service:
            restarts = [_kill_everything(service) for _ in range(ROUNDS)]
    return [
        *side_by_side,
        Figure("everything killed: results of 100", "", tuple(results for results, _ in restarts), at_least=_ACCEPTED),
        Figure("everything killed: last of the results after", "s", tuple(last for _, last in restarts), at_most=13),
    ]


def _side_by_side(engine: str) -> list[Figure]:
    with (
        _service(engine, "worker") as first,
        _service(engine, "replica") as second,
        _service(engine, "drained", "--drain-timeout-s", "0") as third,
        _service(engine, "long", "--replicas", str(ROUNDS)) as fourth,
        ThreadPoolExecutor() as threads,
    ):
        worker_killed = threads.submit(_rounds, first, _kill, fatal=True)
        replica_killed = threads.submit(_rounds, second, _kill_replica, fatal=False)
        drained = threads.submit(_rounds, third, _drain, fatal=True)
        sleeping, holding = threads.submit(_long, fourth).result()
    return [
        Figure("worker killed: result after", "s", worker_killed.result(), at_most=7),
        Figure("replica killed: result after", "s", replica_killed.result(), at_most=4),
        Figure("worker drained: result after", "s", drained.result(), at_most=4),
        Figure("prediction of 8 s: runs", "", sleeping, at_most=1),
        Figure("prediction of 8 s that holds the lock for 6 s: runs", "", holding, at_most=1),
    ]


@contextlib.contextmanager
def _service(engine: str, name: str, *options: str) -> Generator[_Service]:
    with contextlib.ExitStack() as stack:
        service = _Service(f"{engine}?prefix={name}", options, stack)
        service.start()
        yield service


def _rounds(service: _Service, strike: Callable[[psutil.Process], None], *, fatal: bool) -> tuple[float, ...]:
    """Each round submits a prediction and strikes the worker that runs it: seconds from there to its result."""
    return tuple(_struck_s(service, strike, fatal=fatal) for _ in range(ROUNDS))


def _struck_s(service: _Service, strike: Callable[[psutil.Process], None], *, fatal: bool) -> float:
    begun = len(service.runs())
    accepted = service.submit(1, slept_s=_RUN_S)
    (place,) = (each for number, each in service.begun(begun + 1) if number in accepted.values())
    struck_at = perf_counter()
    strike(place.process)
    _expect(service.read(accepted), 1)
    elapsed_s = perf_counter() - struck_at
    if fatal:
        service.start_worker()
    return elapsed_s


def _kill(worker: psutil.Process) -> None:
    worker.kill()


def _kill_replica(worker: psutil.Process) -> None:
    for replica in worker.children():
        replica.kill()


def _drain(worker: psutil.Process) -> None:
    worker.terminate()


def _long(service: _Service) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The runs of predictions that sleep, and of those that hold the lock."""
    sleeping = service.submit(ROUNDS, slept_s=_LONG_S)
    holding = service.submit(ROUNDS, slept_s=_LONG_S - _HELD_S, held_s=_HELD_S)
    _expect(service.read(sleeping | holding), 2 * ROUNDS)
    counts = Counter(number for number, _ in service.runs())
    return tuple(counts[number] for number in sleeping.values()), tuple(counts[number] for number in holding.values())


def _kill_everything(service: _Service) -> tuple[int, float]:
    """How many results there were of what had been accepted, and when the last of them came."""
    begun = len(service.runs())
    accepted = service.submit(_ACCEPTED, slept_s=_SHORT_S)
    service.begun(begun + _BEGUN)
    service.kill()
    restarted_at = perf_counter()
    service.start()
    results = service.read(accepted)
    return results, perf_counter() - restarted_at


def _submit(span: Mapping[str, float], accepted: dict[str, int]) -> Caller:
    asked = submission(json.dumps({"input": span}).encode())
    accepted[(yield from submit(asked))] = int(span["number"])


def _read(prediction_id: str, number: int, right: list[str]) -> Caller:
    answer = yield request("GET", f"/predict/{prediction_id}?wait={_WAIT_S}")
    if answer.status == 200 and json.loads(answer.body)["output"] == number:
        right.append(prediction_id)


def _noted(worker: Server) -> list[int]:
    """The numbers of the runs that began in it."""
    runs = worker.directory / "runs"
    return [int(line) for line in runs.read_text().split("\n")[:-1]] if runs.exists() else []


def _expect(right: int, asked: int) -> None:
    if right < asked:
        raise WrongAnswer(f"Of {asked} predictions {right} were answered rightly.")


SCRIPT = Script("redis_recovery", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
