"""The compose file with three workers, while its containers are killed and replaced."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.asking import PENDING, output, predict, submit
from tests.image.conftest import WORKERS
from tests.image.docker_engine import DockerEngine
from tests.image.project import Project
from tests.polling import wait_until

SLOTS = 10  # of each, see compose.override.yaml


@pytest.fixture
def client(project: Project) -> Iterator[httpx.Client]:
    with project.client as client:
        yield client


@pytest.fixture(autouse=True)
def whole(project: Project, client: httpx.Client) -> None:
    """Each test finds every container running, and every worker back from the outage of the test before."""
    assert len(project.containers("worker")) == WORKERS
    alive = f'zypher_workers{{model="Gated"}} {float(WORKERS)}\n'
    wait_until(lambda: alive in client.get("/metrics").text, within_s=60)


def patiently(client: httpx.Client, prediction_id: str) -> httpx.Response:
    """What a client that bears a server's absence reads at last."""

    def read() -> httpx.Response | None:
        try:
            answer = client.get(f"/predict/{prediction_id}", params={"wait": 1})
        except httpx.TransportError:
            return None
        return None if answer.status_code == 503 or answer.json() == PENDING else answer

    return wait_until(read, within_s=60)


def test_a_worker_that_is_killed_costs_nothing(project: Project, client: httpx.Client) -> None:
    with project.gate("worker") as gate:
        accepted = [submit(client, gate.input(f"n{number}")) for number in range(100)]
        gate.wait_for_runs(WORKERS * SLOTS)
        victim = project.containers("worker")[0]
        project.kill(victim)
        gate.open()
        assert [output(client, each) for each in accepted] == [f"N{number}" for number in range(100)]
        assert len(gate.runs()) == 100 + SLOTS
    project.start(victim)


def test_redis_that_is_killed_forgets_nothing(project: Project, client: httpx.Client) -> None:
    with project.gate("redis") as gate:
        accepted = [submit(client, gate.input(f"n{number}")) for number in range(50)]
        gate.wait_for_runs(WORKERS * SLOTS)
        redis = project.containers("redis")[0]
        project.kill(redis)
        wait_until(lambda: predict(client, gate.input("refused"), {"Async-Mode": "true"}).status_code == 503)
        project.start(redis)
        gate.open()
        answers = [patiently(client, each) for each in accepted]
    assert [answer.json().get("output") for answer in answers] == [f"N{number}" for number in range(50)]


def test_redis_that_is_restarted_forgets_nothing(project: Project, client: httpx.Client) -> None:
    with project.gate("restart") as gate:
        accepted = [submit(client, gate.input(f"n{number}")) for number in range(50)]
        gate.wait_for_runs(WORKERS * SLOTS)
        project.compose("restart", "redis")
        gate.open()
        answers = [patiently(client, each) for each in accepted]
    assert [answer.json().get("output") for answer in answers] == [f"N{number}" for number in range(50)]


def test_the_server_is_replaced_while_clients_poll(project: Project, client: httpx.Client) -> None:
    before = project.containers("server")
    with project.gate("server") as gate, ThreadPoolExecutor(20) as pool:
        accepted = [submit(client, gate.input(f"n{number}")) for number in range(20)]
        polling = [pool.submit(patiently, client, each) for each in accepted]
        project.up("--no-deps", "--force-recreate", "server")
        assert project.containers("server") != before
        assert not any(each.done() for each in polling)
        gate.open()
        answers = [each.result() for each in polling]
    assert [answer.json().get("output") for answer in answers] == [f"N{number}" for number in range(20)]


def test_redis_is_not_published(engine: DockerEngine, project: Project) -> None:
    published = engine.run("inspect", "--format", "{{json .HostConfig.PortBindings}}", project.containers("redis")[0])
    assert published in ("{}", "null")
