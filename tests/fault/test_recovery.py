"""What a dead, frozen or leaving process costs on Redis, in seconds."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.asking import output, submit, target
from tests.chaos.member import Member
from tests.chaos.runs import Run, runs_in
from tests.free_port import free_port
from tests.polling import wait_until
from tests.redis_server import RedisServer

CHECKABLE = target("checkable.py:Checkable")
HOLDING = target("holding.py:Holding")
LEASE_S = 3.0
RUN_S = 1.5  # long enough to be killed in
LONG_S = 8.0
HELD_S = (0, 6)
AFTER_WORKER_S = 7.0  # a lease, a run, and the rest for everything else on a busy machine
AFTER_REPLICA_S = 4.0
AFTER_DRAIN_S = 4.0
AFTER_ALL_S = LEASE_S + 10
ACCEPTED = 100


@dataclass(frozen=True)
class Service:
    """A server without a worker, and workers."""

    server: Member
    workers: list[Member]
    client: httpx.Client
    folder: Path

    def ask(self, number: int, run_s: float) -> str:
        """The id of a prediction that tests/models/checkable.py takes so long for."""
        input = {"number": number, "text": "text", "run_s": run_s, "raises": False, "folder": str(self.folder)}
        return submit(self.client, input)

    def first_run(self) -> Run:
        """The only run of number 1, as soon as it has begun."""
        (run,) = wait_until(lambda: runs_in(self.folder).get(1, []))
        return run

    def worker_of(self, run: Run) -> Member:
        (worker,) = (worker for worker in self.workers if run.pid in worker.children())
        return worker

    def result_s(self, prediction_id: str, since: float) -> float:
        """Seconds from an instant to the right result."""
        answer = output(self.client, prediction_id)
        assert isinstance(answer, dict)
        assert "digest" in answer
        return time.monotonic() - since

    def members(self) -> list[Member]:
        return [self.server, *self.workers]

    def wait_ready(self) -> None:
        """Return once every worker has loaded the model and the server knows of it."""
        wait_until(lambda: all(worker.has_loaded() for worker in self.workers), within_s=60)
        wait_until(self._is_ready, within_s=60)

    def _is_ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/healthz/ready?run").status_code == 200
        return False


Deploy = Callable[..., Service]


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """Starts one server and two workers on a Redis of their own."""
    with RedisServer(tmp_path / "redis") as redis, contextlib.ExitStack() as services:

        def start(model: str, *arguments: str) -> Service:
            return services.enter_context(_service(tmp_path, redis, model, arguments))

        yield start


@contextlib.contextmanager
def _service(folder: Path, redis: RedisServer, model: str, arguments: tuple[str, ...]) -> Generator[Service]:
    port = free_port()
    engine = ("--engine", redis.url, "--lease-s", str(LEASE_S))
    server = Member("server", ["serve", "--no-worker", "--port", str(port), *engine], folder)
    workers = [Member(f"worker {number}", ["worker", model, *arguments, *engine], folder) for number in range(2)]
    address = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=address, timeout=30, trust_env=False, verify=False) as client:
        service = Service(server, workers, client, folder)
        try:
            for member in service.members():
                member.start()
            service.wait_ready()
            yield service
        except BaseException:
            print(*(f"{member.name}: {member.printed()}" for member in service.members()), sep="\n")
            raise
        finally:
            with ThreadPoolExecutor() as closing:
                orphans = list(closing.map(Member.close, service.members()))
    assert orphans == [[], [], []]


def test_a_killed_worker_costs_a_lease(deploy: Deploy) -> None:
    service = deploy(CHECKABLE)
    prediction_id = service.ask(1, RUN_S)
    worker = service.worker_of(service.first_run())
    worker.signal(signal.SIGKILL)
    killed_at = time.monotonic()
    worker.wait(5)
    assert service.result_s(prediction_id, killed_at) < AFTER_WORKER_S
    assert len(runs_in(service.folder)[1]) == 2


def test_a_killed_replica_costs_nothing_but_the_run(deploy: Deploy) -> None:
    service = deploy(CHECKABLE)
    prediction_id = service.ask(1, RUN_S)
    os.kill(service.first_run().pid, signal.SIGKILL)
    killed_at = time.monotonic()
    assert service.result_s(prediction_id, killed_at) < AFTER_REPLICA_S
    assert len(runs_in(service.folder)[1]) == 2


def test_what_a_leaving_worker_hands_back_runs_elsewhere(deploy: Deploy) -> None:
    service = deploy(CHECKABLE, "--drain-timeout-s", "0.2", "--max-attempts", "1")
    prediction_id = service.ask(1, RUN_S)
    worker = service.worker_of(service.first_run())
    worker.signal(signal.SIGTERM)
    told_at = time.monotonic()
    assert service.result_s(prediction_id, told_at) < AFTER_DRAIN_S
    assert worker.wait(5) == 0
    assert len(runs_in(service.folder)[1]) == 2


def test_long_predictions_run_once_even_holding_the_gil(deploy: Deploy) -> None:
    service = deploy(HOLDING)
    inputs = [{"held_s": each, "slept_s": LONG_S - each, "folder": str(service.folder)} for each in HELD_S]
    accepted = [submit(service.client, input) for input in inputs]  # one for each worker
    assert [output(service.client, each) for each in accepted] == ["done", "done"]
    assert sorted((service.folder / "runs").read_text().split()) == ["0", "6"]


def test_nothing_is_lost_when_everything_dies_but_redis(deploy: Deploy) -> None:
    service = deploy(CHECKABLE)
    accepted = [service.ask(number, 0.2) for number in range(1, ACCEPTED + 1)]
    wait_until(lambda: len(runs_in(service.folder)) >= ACCEPTED // 4)
    _kill_all(service)
    finished = sum(run.ended is not None for runs in runs_in(service.folder).values() for run in runs)
    assert finished < ACCEPTED
    started_at = time.monotonic()
    for member in service.members():
        member.start()
    service.wait_ready()
    for prediction_id in accepted:
        assert service.result_s(prediction_id, started_at) < AFTER_ALL_S


def _kill_all(service: Service) -> None:
    """The replicas with their workers, all in the same moment."""
    pids = [pid for member in service.members() for pid in member.pids()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for member in service.members():
        member.wait(5)
    psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=5)
