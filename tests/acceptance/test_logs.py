"""What a server writes, and what it never does."""

import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.asking import client_of, predict, read, submit, target
from tests.conftest import Serve
from tests.server_process import ACCESS, ServerProcess
from tests.terminal import Terminal

SECRET = "a-secret-of-the-caller"
ANSWER = "HIS-SECRET-IN-CAPITALS"


@dataclass(frozen=True)
class Story:
    """What a server wrote from its start to its end, and the id of the prediction for each deed."""

    text: str
    records: list[dict[str, object]]
    ids: dict[str, str]

    def about(self, deed: str) -> list[dict[str, object]]:
        """What the log says of it, without the line of its request."""
        about = [record for record in self.records if record.get("prediction_id") == self.ids[deed]]
        return [record for record in about if record["logger"] != ACCESS]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    arguments = (target("trouble.py:Trouble"), "--max-attempts", "2")
    with ServerProcess(tmp_path_factory.mktemp("logs"), *arguments) as server:
        server.wait_ready()
        with client_of(server) as client:
            deeds = ("say", "ValueError", "SystemExit", "well", "kill")
            ids = {deed: predict(client, deed).headers["prediction-id"] for deed in deeds}
        assert server.stop() == 0
        return Story(server.text(), server.lines(), ids)


def test_off_a_terminal_every_line_is_json(story: Story) -> None:
    assert len(story.text.splitlines()) == len(story.records)
    assert all({"ts", "level", "message"} <= record.keys() for record in story.records)


def test_a_models_prints_have_the_prediction_id(story: Story) -> None:
    words = {"a word on standard output", "a word on standard error", "a word in the log", "a word below Python"}
    said = story.about("say")
    assert words <= {record["message"] for record in said}
    assert "a warning" in str(said)
    assert [record for record in story.records if record["message"] in words and record not in said] == []


def test_log_records_of_a_failure_have_the_prediction_id(story: Story) -> None:
    for deed, words in (("ValueError", "ValueError: no such colour"), ("SystemExit", "SystemExit: 7")):
        (record,) = [record for record in story.records if words in str(record)]
        ended = story.about(deed)[-1]
        assert story.about(deed) == [record, ended]
        assert (ended["message"], ended["status"]) == ("prediction ended", "failed")


def test_the_loss_of_a_replica_names_the_predictions_in_it(story: Story) -> None:
    lost = [record for record in story.about("kill") if record["level"] == "warning"]
    assert [record["attempt"] for record in lost] == [1, 2]
    assert all("SIGKILL" in str(record["reason"]) for record in lost)


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
    command = [sys.executable, "-m", "zypher", "serve", target("forms.py:shout"), "--port", "0"]
    with (
        Terminal() as terminal,
        subprocess.Popen(command, cwd=tmp_path, stdout=terminal.theirs, stderr=terminal.theirs) as server,
    ):
        terminal.hand_over()
        terminal.read_until("(?<!replica )ready")
        server.send_signal(signal.SIGTERM)
        seen = terminal.read_to_the_end()
    assert server.returncode == 0
    assert re.search(r"^\d\d:\d\d:\d\d INFO +listening .*url=http://127\.0\.0\.1:\d+", seen, re.MULTILINE)
    assert "{" not in seen


def test_a_request_is_one_line(story: Story) -> None:
    lines = [record for record in story.records if record["logger"] == ACCESS and record["route"] == "/predict"]
    assert [line["prediction_id"] for line in lines] == list(story.ids.values())
    assert {(line["method"], line["status"]) for line in lines} == {("POST", 200), ("POST", 500)}
    assert all({"duration_s", "bytes"} <= line.keys() for line in lines)


def test_requests_are_no_lines_when_they_are_not_wanted(serve: Serve) -> None:
    server = serve(target("echo.py:Echo"), "--no-access-log")
    with client_of(server) as client:
        predict(client, "a")
    assert server.stop() == 0
    assert server.accesses() == []
