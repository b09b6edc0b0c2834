"""New work is refused with a reason and a time to come again; accepted work is not lost."""

import signal

import httpx

from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until


def assert_refused(response: httpx.Response) -> str:
    """The reason."""
    assert response.status_code == 503, response.text
    assert int(response.headers["retry-after"]) >= 1
    assert list(response.json()) == ["error"]
    return str(response.json()["error"])


def test_a_full_queue_refuses_and_what_it_accepted_runs(serve: Serve, gate: Gate) -> None:
    server = serve(target("gated.py:Gated"), "--concurrency", "1", "--queue-limit", "2")
    with client_of(server) as client:
        accepted = [submit(client, gate.input("running"))]
        gate.wait_for_runs(1)
        keyed = {"Async-Mode": "true", "Idempotency-Key": "k"}
        first = predict(client, gate.input("queued"), keyed)
        accepted += [first.json()["prediction_id"], submit(client, gate.input("queued"))]

        assert "2 predictions wait" in assert_refused(predict(client, gate.input("one more"), {"Async-Mode": "true"}))
        assert "2 predictions wait" in assert_refused(predict(client, gate.input("one more")))
        assert predict(client, gate.input("queued"), keyed).json() == first.json()
        assert client.get("/healthz/live").status_code == 200

        gate.open()
        assert [output(client, each) for each in accepted] == ["RUNNING", "QUEUED", "QUEUED"]
        assert predict(client, gate.input("later")).json() == "LATER"
        assert "one more" not in gate.runs()


def test_readiness_names_the_reason_while_no_replica_runs(serve: Serve, gate: Gate) -> None:
    weights = gate.folder.parent / "weights.txt"
    weights.write_text("heavy ")
    server = serve(target("fragile.py:Fragile"), "--max-attempts", "1")
    with client_of(server) as client:
        assert predict(client, "a").json() == "heavy a"

        weights.unlink()
        assert "SIGKILL" in predict(client, "die").json()["error"]
        wait_until(lambda: "weights.txt" in client.get("/healthz/ready?run").text)
        assert client.get("/healthz/ready?run").status_code == 503
        assert client.get("/healthz/live").status_code == 200
        assert "weights.txt" in assert_refused(predict(client, "b"))
        assert client.get("/healthz/ready").status_code == 200
        waiting = submit(client, "b")

        weights.write_text("new ")
        wait_until(lambda: client.get("/healthz/ready?run").status_code == 200)
        assert predict(client, "c").json() == "new c"
        assert output(client, waiting) == "new b"


def test_accepted_predictions_wait_for_a_restarted_replica(serve: Serve, gate: Gate) -> None:
    weights = gate.folder.parent / "weights.txt"
    weights.write_text("heavy ")
    server = serve(target("fragile.py:Fragile"), "--max-attempts", "1")
    with client_of(server) as client:
        weights.unlink()
        accepted = [submit(client, text) for text in ("die", "a", "b")]
        wait_until(lambda: "weights.txt" in client.get("/healthz/ready?run").text)
        weights.write_text("new ")
        assert [output(client, each) for each in accepted[1:]] == ["new a", "new b"]


def test_a_draining_server_refuses_new_predictions_and_serves_old_ones(serve: Serve, gate: Gate) -> None:
    server = serve(target("gated.py:Gated"))
    with client_of(server) as client:
        prediction_id = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        server.signal(signal.SIGTERM)
        wait_until(lambda: client.get("/healthz/ready?run").status_code == 503)
        assert "stopping" in assert_refused(predict(client, gate.input("b"), {"Async-Mode": "true"}))
        assert "stopping" in assert_refused(predict(client, gate.input("b")))
        assert "stopping" in client.get("/healthz/ready?run").text
        assert client.get(f"/predict/{prediction_id}").status_code == 400
        assert client.get("/healthz/live").status_code == 200
