"""One container, held tightly: what it answers, and that nothing accepted is lost however it ends."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

from tests.asking import ACCEPTED, PENDING, output, predict, submit
from tests.gate import Gate
from tests.image.conftest import Run
from tests.polling import wait_until

GATED = "models/gated.py:Gated"
HEALTHY_S = 10.0


def test_it_is_soon_healthy_and_may_do_next_to_nothing(run: Run) -> None:
    began_s = time.monotonic()
    container = run(network="none")
    wait_until(lambda: container.health() == "healthy")
    took_s = time.monotonic() - began_s
    lines = container.inside("cat", "/proc/1/status").splitlines()
    state = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert took_s < HEALTHY_S
    assert set(state["Uid"].split()) == set(state["Gid"].split()) == {"10001"}
    assert int(state["CapEff"], 16) == int(state["CapBnd"], 16) == 0
    assert state["NoNewPrivs"] == "1"
    mounts = [line.split() for line in container.inside("cat", "/proc/mounts").splitlines()]
    assert [options.split(",")[0] for _, path, _, options, *_ in mounts if path in {"/", "/data"}] == ["ro", "rw"]
    assert container.inside("cat", "/proc/net/route").splitlines()[1:] == []


def test_the_mock_follows_the_contract(run: Run) -> None:
    container = run().wait_ready()
    text = "Sample input data for the model"
    with container.client as client, ThreadPoolExecutor(2) as pool:
        synchronous = pool.submit(predict, client, text)
        by_command = pool.submit(container.inside, "zypher", "predict", text)
        accepted = predict(client, text, {"Async-Mode": "true"})
        prediction_id = accepted.json()["prediction_id"]
        assert (accepted.status_code, accepted.json()) == (202, {"message": ACCEPTED, "prediction_id": prediction_id})
        pending = client.get(f"/predict/{prediction_id}")
        assert (pending.status_code, pending.json()) == (400, PENDING)
        unknown = client.get("/predict/nope")
        assert (unknown.status_code, unknown.json()) == (404, {"error": "Prediction ID not found."})
        answered = synchronous.result()
        assert answered.status_code == 200
        outputs = [answered.text, json.dumps(output(client, prediction_id)), by_command.result()]
        assert all(re.fullmatch(rf'{{"input": ?"{text}", ?"result": ?"\d+"}}', told) for told in outputs), outputs


def test_what_runs_survives_docker_stop(run: Run, gate: Gate) -> None:
    container = run("serve", GATED).wait_ready()
    with container.client as client, ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(predict, client, gate.input("synchronous"))
        accepted = submit(client, gate.input("accepted"))
        gate.wait_for_runs(2)
        stopping = pool.submit(container.stop, 30)
        wait_until(lambda: "draining" in container.log())
        gate.open()
        assert (waiting.result().status_code, waiting.result().json()) == (200, "SYNCHRONOUS")
        assert stopping.result() == 0
    with container.start().client as client:
        assert output(client, accepted) == "ACCEPTED"
    assert sorted(gate.runs()) == ["accepted", "synchronous"]


def test_what_does_not_end_in_time_runs_after_the_restart(run: Run, gate: Gate) -> None:
    container = run("serve", GATED).wait_ready()
    with container.client as client:
        accepted = submit(client, gate.input("accepted"))
        gate.wait_for_runs(1)
    assert container.stop(10) == 0  # what `docker stop` gives by itself
    gate.open()
    with container.start().client as client:
        assert output(client, accepted) == "ACCEPTED"
    assert gate.runs() == ["accepted", "accepted"]


def test_kill_9_loses_nothing_that_was_accepted(run: Run, gate: Gate) -> None:
    container = run("serve", GATED, "--concurrency", "8").wait_ready()
    with container.client as client:
        accepted = [submit(client, gate.input(f"n{number}")) for number in range(40)]
        gate.wait_for_runs(8)
    container.kill()
    gate.open()
    with container.start().client as client:
        assert [output(client, each) for each in accepted] == [f"N{number}" for number in range(40)]
