"""Predictions that are cancelled or run longer than they may: by HTTP, on one machine and on many."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import httpx
import pytest

from tests.acceptance.conftest import Machines
from tests.asking import client_of, output, predict, read, submit, target
from tests.command import zypher
from tests.conftest import Serve
from tests.polling import wait_until
from tests.raw_http import RawConnection, post
from tests.redis_server import RedisServer
from tests.terminal import Terminal

GRACE_S = 0.5
FLAGS = ("--cancel-grace-s", str(GRACE_S), "--max-attempts", "2")
CANCELLED = "Prediction was cancelled; send it again if you still want it."


@dataclass(frozen=True)
class Service:
    client: httpx.Client  # of a server that runs nothing itself where it can
    flags: tuple[str, ...]  # by which an operator finds the engine
    folder: Path

    def input(self, how: str) -> dict[str, str]:
        return {"how": how, "began": str(self.folder / how)}

    def began(self, how: str) -> None:
        wait_until((self.folder / how).exists)

    def begin(self, how: str, **headers: str) -> str:
        """The id of a prediction that the model has begun."""
        response = predict(self.client, self.input(how), {"Async-Mode": "true", **headers})
        self.began(how)
        return str(response.json()["prediction_id"])

    def metric(self, name: str) -> float:
        page = self.client.get("/metrics").text
        return sum(float(line.split()[-1]) for line in page.splitlines() if line.startswith(name))


StartService = Callable[[str], Service]


@pytest.fixture(params=["embedded", "redis"])
def start(request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer | None) -> Iterator[StartService]:
    clients: list[httpx.Client] = []

    def embedded(model: str) -> Service:
        serve: Serve = request.getfixturevalue("serve")
        clients.append(client_of(serve(target(f"unstoppable.py:{model}"), *FLAGS)))
        return Service(clients[0], (), tmp_path)

    def redis(model: str) -> Service:
        machines: Machines = request.getfixturevalue("machines")
        machines.worker(f"unstoppable.py:{model}", *FLAGS)
        clients.append(client_of(machines.front().wait_ready()))
        return Service(clients[0], ("--engine", machines.engine), tmp_path)

    yield embedded if request.param == "embedded" else redis
    for client in clients:
        client.close()


def cancel(client: httpx.Client, prediction_id: str) -> tuple[int, object]:
    response = client.delete(f"/predict/{prediction_id}")
    return response.status_code, response.json()


@pytest.mark.parametrize(
    ("model", "how"),
    [("Alone", "sleep"), ("Alone", "ignore"), ("Blocking", "spin"), ("Blocking", "ignore"), ("Waiting", "ignore")],
)
def test_a_running_prediction_is_cancelled(start: StartService, model: str, how: str) -> None:
    service = start(model)
    client = service.client
    prediction_id = service.begin(how)
    asked_s = monotonic()
    assert cancel(client, prediction_id) == (202, {"prediction_id": prediction_id, "status": "cancelling"})
    ended = read(client, prediction_id)
    assert monotonic() - asked_s < GRACE_S + 1
    assert (ended.status_code, ended.json()) == (410, {"error": CANCELLED})
    assert cancel(client, prediction_id) == (200, {"prediction_id": prediction_id, "status": "cancelled"})
    assert output(client, submit(client, service.input("0"))) == "0"


def test_a_waiting_task_is_cancelled_at_once(start: StartService) -> None:
    service = start("Waiting")
    prediction_id = service.begin("sleep")
    asked_s = monotonic()
    cancel(service.client, prediction_id)
    assert read(service.client, prediction_id).status_code == 410
    assert monotonic() - asked_s < GRACE_S


def test_one_that_waits_or_has_ended(start: StartService) -> None:
    service = start("Alone")
    client = service.client
    running = service.begin("1")
    waiting = submit(client, service.input("0"))
    assert cancel(client, waiting) == (200, {"prediction_id": waiting, "status": "cancelled"})
    assert output(client, running) == "1"
    assert cancel(client, running) == (409, {"error": "Prediction has already ended."})
    assert cancel(client, "0" * 28) == (404, {"error": "Prediction ID not found."})
    assert client.post(f"/predict/{waiting}/cancel").status_code == 200
    assert client.get(f"/predict/{waiting}/cancel").status_code == 405


def test_neighbours_end_right_and_uncharged(start: StartService) -> None:
    service = start("Blocking")
    client = service.client
    neighbour = service.begin("2")
    ignored = service.begin("ignore")
    cancel(client, ignored)
    assert read(client, ignored).status_code == 410
    assert client.get(f"/predict/{neighbour}").status_code == 400
    assert output(client, neighbour) == "2"
    assert service.metric("zypher_attempts_lost_total") == 0


@pytest.mark.parametrize(
    ("model", "how"),
    [("Alone", "sleep"), ("Alone", "hold the GIL"), ("Blocking", "ignore"), ("Waiting", "hold the loop")],
)
def test_a_prediction_over_its_time_fails(start: StartService, model: str, how: str) -> None:
    service = start(model)
    began_s = monotonic()
    prediction_id = service.begin(how, **{"Prediction-Timeout": "1"})
    ended = read(service.client, prediction_id)
    assert monotonic() - began_s < 1 + GRACE_S + 1
    assert ended.status_code == 504
    assert ended.json()["error"].startswith("Prediction failed: timed_out: it ran for ")
    assert output(service.client, submit(service.client, service.input("0"))) == "0"


def test_who_holds_the_gil_beside_others_is_found(start: StartService) -> None:
    service = start("Blocking")
    neighbour = service.begin("0.1")
    assert output(service.client, neighbour) == "0.1"
    neighbour = submit(service.client, service.input("30"))
    service.began("30")
    holder = submit(service.client, service.input("hold the GIL"))
    service.began("hold the GIL")
    cancel(service.client, neighbour)  # only the limit of the other one can end this replica
    assert cancel(service.client, holder)[0] == 202
    assert read(service.client, holder).status_code == 410
    assert read(service.client, neighbour).status_code == 410


def test_a_caller_who_hangs_up_cancels(serve: Serve, tmp_path: Path) -> None:
    server = serve(target("unstoppable.py:Blocking"), *FLAGS)
    with client_of(server) as client:
        service = Service(client, (), tmp_path)
        with RawConnection(server.url) as connection:
            connection.send(post(json.dumps({"input": service.input("spin")}).encode()))
            service.began("spin")
        wait_until(lambda: service.metric('zypher_predictions_settled_total{model="Blocking",status="cancelled"}') == 1)


def test_one_whose_deadline_is_over_does_not_run(start: StartService) -> None:
    service = start("Alone")
    service.begin("1")
    late = predict(service.client, service.input("0.5"), {"Async-Mode": "true", "Prediction-Deadline": "0.2"})
    ended = read(service.client, late.json()["prediction_id"])
    assert ended.status_code == 410
    assert "expired" in ended.json()["error"]
    assert not (service.folder / "0.5").exists()


@pytest.mark.parametrize("value", ["", "0", "0.0009", "-1", "nan", "inf", "1e3", "1s", "0x1", "9" * 20, "1,2"])
@pytest.mark.parametrize("header", ["Prediction-Timeout", "Prediction-Deadline"])
def test_a_span_that_is_none_is_refused(echo: httpx.Client, header: str, value: str) -> None:
    response = predict(echo, {"text": "x"}, {header: value})
    assert response.status_code == 400
    sentence = "must be a number of seconds from 0.001 to 999999999, such as 30 or 0.5."
    assert response.json()["error"] == f"{header} {sentence}"


def test_an_operator_cancels_by_command(start: StartService) -> None:
    service = start("Alone")
    running = service.begin("sleep")
    waiting = submit(service.client, service.input("0"))

    def queue(prediction_id: str, *more: str) -> tuple[int, str]:
        ended = zypher("queue", "cancel", prediction_id, *more, *service.flags, cwd=service.folder)
        return ended.returncode, ended.stdout + ended.stderr

    assert queue(waiting) == (0, f"{waiting} is cancelled.\n")
    code, record = queue(running, "--json")
    assert (code, json.loads(record)) == (0, {"prediction_id": running, "status": "cancelling"})
    assert read(service.client, running).status_code == 410
    ended = submit(service.client, service.input("0"))
    output(service.client, ended)
    assert queue(ended) == (1, f"zypher: {ended} has already ended.\n")
    assert queue("0" * 28) == (1, f"zypher: There is no prediction {'0' * 28}.\n")


def test_a_second_interrupt_of_predict_cancels(serve: Serve, tmp_path: Path) -> None:
    server = serve(target("unstoppable.py:Alone"), *FLAGS)
    service = Service(client_of(server), (), tmp_path)
    service.client.close()
    given = json.dumps(service.input("sleep"))
    with Terminal() as terminal:
        command = [sys.executable, "-P", "-m", "zypher", "predict", given, "--json-input", "--url", server.url]
        with subprocess.Popen(
            command, stdin=terminal.theirs, stderr=terminal.theirs, stdout=subprocess.DEVNULL
        ) as ours:
            service.began("sleep")
            ours.send_signal(signal.SIGINT)
            terminal.read_until("cancels it.")
            ours.send_signal(signal.SIGINT)
            assert ours.wait(20) == 130
        terminal.hand_over()
        assert "The prediction is being stopped." in terminal.read_to_the_end()
