"""What a server writes, and what it never does."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.asking import client_of, predict, read, submit, target
from tests.conftest import Serve

SECRET = "a-secret-of-the-caller"
ANSWER = "HIS-SECRET-IN-CAPITALS"


def test_off_a_terminal_every_line_is_json(serve: Serve) -> None:
    server = serve(target("trouble.py:Trouble"))
    with client_of(server) as client:
        for deed in ("say", "ValueError", "SystemExit", "well"):
            predict(client, deed)
    assert server.stop() == 0
    below_python = "a word below Python"
    lines = [line for line in server.text().splitlines() if line != below_python]
    records = [json.loads(line) for line in lines]
    assert all({"ts", "level", "message"} <= record.keys() for record in records)


def test_every_line_about_a_prediction_bears_its_id(serve: Serve) -> None:
    server = serve(target("trouble.py:Trouble"))
    with client_of(server) as client:
        said = predict(client, "say").headers["prediction-id"]
        failed = predict(client, "ValueError").headers["prediction-id"]
    assert server.stop() == 0
    words = {"a word on standard output", "a word on standard error", "a word in the log"}
    assert words <= {line["message"] for line in server.log() if line.get("prediction_id") == said}
    assert all(line.get("prediction_id") == said for line in server.log() if line["message"] in words)
    assert [line.get("prediction_id") for line in server.log() if "no such colour" in str(line)] == [failed]


def test_the_loss_of_a_replica_names_the_predictions_in_it(serve: Serve) -> None:
    server = serve(target("trouble.py:Trouble"), "--max-attempts", "2")
    with client_of(server) as client:
        lost = predict(client, "kill").headers["prediction-id"]
    about = [line for line in server.log() if line.get("prediction_id") == lost]
    assert [line["attempt"] for line in about] == [1, 2]
    assert all("SIGKILL" in str(line["reason"]) for line in about)


def test_inputs_and_outputs_are_never_in_the_log(serve: Serve) -> None:
    server = serve(target("forms.py:shout"), "--log-level", "debug")
    with client_of(server) as client:
        assert predict(client, "his-secret-in-capitals").json() == ANSWER
        assert read(client, submit(client, SECRET)).status_code == 200
        predict(client, {"wrong": SECRET})
        predict(client, SECRET, {"Idempotency-Key": "k"})
        predict(client, SECRET + "!", {"Idempotency-Key": "k"})
    assert server.stop() == 0
    assert SECRET not in server.text()
    assert SECRET.upper() not in server.text()
    assert ANSWER not in server.text()


def test_inputs_and_outputs_are_in_the_log_when_asked_for(serve: Serve) -> None:
    server = serve(target("forms.py:shout"), "--log-values")
    with client_of(server) as client:
        said = predict(client, "his-secret-in-capitals").headers["prediction-id"]
    assert server.stop() == 0
    about = str([line for line in server.log() if line.get("prediction_id") == said])
    assert "his-secret-in-capitals" in about
    assert ANSWER in about


def test_on_a_terminal_lines_are_for_people(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    arguments = [sys.executable, "-m", "zypher", "serve", target("forms.py:shout"), "--port", "0"]
    with subprocess.Popen(arguments, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs) as server:
        os.close(theirs)
        seen = ""
        while "ready" not in seen.replace("replica ready", ""):
            seen += os.read(ours, 1000).decode()
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        os.close(ours)
    assert re.search(r"^\d\d:\d\d:\d\d INFO +listening .*url=http://127\.0\.0\.1:\d+", seen, re.MULTILINE)
    assert "{" not in seen
