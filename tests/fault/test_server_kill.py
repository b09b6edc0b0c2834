"""The server is killed as a crash would: what it accepted is there afterwards, each prediction with one result."""

import threading
from collections import Counter
from functools import partial

import httpx
import pytest

from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until
from tests.server_process import ServerProcess

ACCEPTED, RUNNING, CYCLES = 500, 100, 4
MOST_CRASHES = 10  # an attempt that had just begun may be counted or not


@pytest.mark.timeout(180)
def test_everything_accepted_survives_the_death_of_the_server(serve: Serve, gate: Gate) -> None:
    server = serve(target("gated.py:Gated"), "--concurrency", str(RUNNING))
    with client_of(server) as client:
        finished = predict(client, {"text": "early", "folder": str(_opened(gate))}, {"Idempotency-Key": "early"})
        accepted = {submit(client, gate.input(f"n{number}")): f"N{number}" for number in range(ACCEPTED)}
        gate.wait_for_runs(RUNNING)
    _crash(server)
    assert sorted(gate.runs()) == sorted(f"n{number}" for number in range(RUNNING))

    gate.open()
    with client_of(serve(target("gated.py:Gated"), "--concurrency", str(RUNNING))) as client:
        assert output(client, finished.headers["prediction-id"]) == "EARLY"
        for _ in range(2):
            assert {each: output(client, each) for each in accepted} == accepted
    times = Counter(gate.runs())
    assert {f"n{number}": times[f"n{number}"] for number in range(ACCEPTED)} == {
        f"n{number}": 2 if number < RUNNING else 1 for number in range(ACCEPTED)
    }


@pytest.mark.timeout(180)
def test_no_crash_while_predictions_are_accepted_loses_one(serve: Serve, gate: Gate) -> None:
    gate.open()
    accepted: dict[str, str] = {}
    for cycle in range(CYCLES):
        server = serve(target("gated.py:Gated"), "--concurrency", "4")
        with client_of(server) as client:
            submitting = threading.Thread(target=_submit_until_it_dies, args=[client, gate, cycle, accepted])
            submitting.start()
            enough = 100 * (cycle + 1)
            wait_until(lambda enough=enough: len(accepted) >= enough)
            _crash(server)
            submitting.join()
    with client_of(serve(target("gated.py:Gated"), "--concurrency", "4")) as client:
        for _ in range(2):
            assert {each: output(client, each) for each in accepted} == accepted


def test_a_keyed_prediction_stays_one_across_a_crash(serve: Serve, gate: Gate) -> None:
    keyed = {"Idempotency-Key": "k", "Async-Mode": "true"}
    with client_of(server := serve(target("gated.py:Gated"))) as client:
        prediction_id = predict(client, gate.input("a"), keyed).json()["prediction_id"]
        gate.wait_for_runs(1)
    _crash(server)
    gate.open()
    with client_of(serve(target("gated.py:Gated"))) as client:
        again = predict(client, gate.input("a"), {"Idempotency-Key": "k"})
        assert (again.json(), again.headers["prediction-id"]) == ("A", prediction_id)
        assert predict(client, gate.input("b"), keyed).status_code == 422


def test_a_prediction_that_never_survives_its_server_fails_at_last(serve: Serve, gate: Gate) -> None:
    arguments = (target("gated.py:Gated"), "--max-attempts", "2")
    with client_of(server := serve(*arguments)) as client:
        prediction_id = submit(client, gate.input("a"))
    answer = None
    for runs in range(1, MOST_CRASHES):
        gate.wait_for_runs(runs)
        _crash(server)
        with client_of(server := serve(*arguments)) as client:
            answer = wait_until(partial(_ended_or_ran_again, client, prediction_id, gate, runs))
        if answer.status_code != 400:
            break
    assert answer is not None
    assert answer.status_code == 500
    assert "worker_lost" in answer.json()["error"]
    assert len(gate.runs()) >= 2


def _ended_or_ran_again(client: httpx.Client, prediction_id: str, gate: Gate, runs: int) -> httpx.Response | None:
    answer = client.get(f"/predict/{prediction_id}")
    return answer if answer.status_code != 400 or len(gate.runs()) > runs else None


def _crash(server: ServerProcess) -> None:
    """Kill the server; its replicas find out by themselves."""
    server.kill()
    wait_until(lambda: not server.children(), within_s=5)


def _opened(gate: Gate) -> str:
    """A second gate, without a bar."""
    folder = gate.folder / "open"
    folder.mkdir()
    (folder / "gate").touch()
    return str(folder)


def _submit_until_it_dies(client: httpx.Client, gate: Gate, cycle: int, accepted: dict[str, str]) -> None:
    number = 0
    try:
        while True:
            text = f"c{cycle}n{number}"
            accepted[submit(client, gate.input(text))] = text.upper()
            number += 1
    except httpx.TransportError:
        return
