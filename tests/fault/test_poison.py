"""A poisonous prediction among 20 others in 4 slots: it fails at last, and each of the others has its output."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.asking import client_of, output, read, submit, target
from tests.gate import Gate
from tests.polling import wait_until
from tests.redis_server import RedisServer, no_redis, redis_program
from tests.server_process import ServerProcess, WorkerProcess

NEIGHBOURS = 20
SEEDS = (1, 2)
MOST_CRASHES = 10  # an attempt that had just begun may be counted or not

Start = Callable[[], "Service"]


class Service:
    """The processes that serve one model, and a client of them."""

    def __init__(self, server: ServerProcess, *others: WorkerProcess) -> None:
        self.client = client_of(server)
        self._processes = (server, *others)

    def kill(self) -> None:
        """End every process at once, as a crash of the machine would."""
        self.client.close()
        for process in self._processes:
            process.kill()
        wait_until(lambda: not any(process.children() for process in self._processes), within_s=5)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    with Gate(tmp_path / "gate") as gate:
        yield gate


@pytest.fixture(scope="module", autouse=True)
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer | None]:
    """None where there is none."""
    if redis_program() is None:
        yield None
        return
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["memory", "embedded", "redis"])
def start(request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer | None) -> Iterator[Start]:
    """Starts the service on one engine, again where the last one left what it had accepted."""
    engine = str(request.param)
    with ExitStack() as started:

        def server(*arguments: str) -> ServerProcess:
            return started.enter_context(ServerProcess(tmp_path, *arguments))

        def start_one() -> Service:
            if engine != "redis":
                return Service(server(target("charged.py:Charged"), "--engine", engine).wait_ready())
            shared = ("--engine", (redis_server or no_redis()).url, "--lease-s", "1")
            front = server("--no-worker", *shared)
            worker = started.enter_context(WorkerProcess(tmp_path, target("charged.py:Charged"), *shared))
            return Service(front.wait_ready(), worker)

        if engine == "redis":
            with (redis_server or no_redis()).client() as client:
                client.flushall()
        yield start_one


def submit_all(client: httpx.Client, gate: Gate, poison: str, seed: int) -> tuple[str, dict[str, str]]:
    """The id of the poison, which is somewhere among the others, and the outputs of those by their ids."""
    place = random.Random(seed).randrange(NEIGHBOURS + 1)
    texts = [f"n{number}" for number in range(NEIGHBOURS)]
    texts.insert(place, poison)
    ids = {text: submit(client, gate.input(text)) for text in texts}
    return ids.pop(poison), {each: text.upper() for text, each in ids.items()}


def check_end(client: httpx.Client, poison_id: str, neighbours: dict[str, str]) -> None:
    assert {each: output(client, each) for each in neighbours} == neighbours
    failed = read(client, poison_id)
    assert (failed.status_code, "worker_lost" in failed.json()["error"]) == (500, True)


@pytest.mark.parametrize("seed", SEEDS)
def test_poison_that_kills_its_replica_spares_its_neighbours(start: Start, gate: Gate, seed: int) -> None:
    service = start()
    poison_id, neighbours = submit_all(service.client, gate, "kill", seed)

    check_end(service.client, poison_id, neighbours)

    assert gate.runs().count("kill") == 3
    service.client.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("start", ["embedded", "redis"], indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_poison_that_holds_the_gil_through_crashes_spares_its_neighbours(start: Start, gate: Gate, seed: int) -> None:
    chance = random.Random(seed)
    service = start()
    poison_id, neighbours = submit_all(service.client, gate, "hold", seed)
    for run in range(1, MOST_CRASHES):
        wait_until(partial(began_again_or_ended, service.client, poison_id, gate, run), within_s=30)
        if len(held(gate)) < run:
            break
        time.sleep(chance.uniform(0, 0.4))  # the instant of the crash
        service.kill()
        service = start()

    check_end(service.client, poison_id, neighbours)

    assert len(held(gate)) >= 3
    service.client.close()


def held(gate: Gate) -> list[str]:
    return [run for run in gate.runs() if run == "hold"]


def began_again_or_ended(client: httpx.Client, poison_id: str, gate: Gate, run: int) -> bool:
    return len(held(gate)) >= run or client.get(f"/predict/{poison_id}").status_code == 500
