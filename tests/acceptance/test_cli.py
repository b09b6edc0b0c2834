"""The command line, from outside."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import zypher as package
from tests.asking import client_of, output, target
from tests.command import zypher
from tests.gate import Gate
from tests.server_process import ServerProcess
from tests.terminal import Terminal


def test_the_version(tmp_path: Path) -> None:
    ended = zypher("--version", cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"zypher {package.__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["serve", "--help"]])
def test_help(tmp_path: Path, arguments: list[str]) -> None:
    ended = zypher(*arguments, cwd=tmp_path)
    assert ended.returncode == 0
    assert "zypher" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize("arguments", [["bake"], ["serve", "--prot", "1"], ["predict"]])
def test_a_wrong_command_is_one_sentence(tmp_path: Path, arguments: list[str]) -> None:
    ended = zypher(*arguments, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("zypher: ")


def test_predict_a_text(echo_server: ServerProcess, tmp_path: Path) -> None:
    ended = zypher("predict", "some text", "--url", echo_server.url, cwd=tmp_path)
    assert ended.returncode == 0
    assert json.loads(ended.stdout) == {"input": "some text", "result": "9"}
    assert ended.stderr == ""


def test_predict_a_file(echo_server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("from a file")
    ended = zypher("predict", "--file", "text", "--url", echo_server.url, cwd=tmp_path)
    assert json.loads(ended.stdout)["input"] == "from a file"


def test_predict_standard_input(echo_server: ServerProcess, tmp_path: Path) -> None:
    ended = zypher("predict", "-", cwd=tmp_path, stdin=b"piped", environment={"ZYPHER_URL": echo_server.url})
    assert json.loads(ended.stdout)["input"] == "piped"


def test_predict_the_whole_record(echo_server: ServerProcess, tmp_path: Path) -> None:
    ended = zypher("predict", "a", "--json", "--url", echo_server.url, cwd=tmp_path)
    record = json.loads(ended.stdout)
    assert (record["status"], record["output"]) == ("succeeded", {"input": "a", "result": "1"})
    with client_of(echo_server) as client:
        assert output(client, record["prediction_id"]) == record["output"]


def test_predict_json(gated_server: ServerProcess, gate: Gate, tmp_path: Path) -> None:
    gate.open()
    given = json.dumps(gate.input("a"))
    ended = zypher("predict", "--json-input", given, "--url", gated_server.url, cwd=tmp_path)
    assert (ended.returncode, json.loads(ended.stdout)) == (0, "A")


def test_predict_and_leave(gated_server: ServerProcess, gate: Gate, tmp_path: Path) -> None:
    given = json.dumps(gate.input("a"))
    ended = zypher("predict", "--async", "--json-input", given, "--url", gated_server.url, cwd=tmp_path)
    assert ended.returncode == 0
    gate.open()
    with client_of(gated_server) as client:
        assert output(client, ended.stdout.strip()) == "A"


def test_predict_draws_a_live_line_on_a_terminal(gated_server: ServerProcess, gate: Gate, tmp_path: Path) -> None:
    arguments = ["predict", "--json-input", json.dumps(gate.input("a")), "--url", gated_server.url]
    command = [sys.executable, "-m", "zypher", *arguments]
    with (
        Terminal() as terminal,
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=terminal.theirs) as process,
    ):
        terminal.hand_over()
        terminal.read_until(r"running, \d+\.\d s")
        gate.open()
        terminal.read_to_the_end()
        assert process.stdout is not None
        assert json.loads(process.stdout.read()) == "A"
    assert process.returncode == 0


def test_predict_prints_why_an_input_is_refused(gated_server: ServerProcess, tmp_path: Path) -> None:
    ended = zypher("predict", "some text", "--url", gated_server.url, cwd=tmp_path)
    assert ended.returncode == 1
    assert "$.input" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_predict_without_a_server_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        ended = zypher("predict", "a", "--url", f"http://127.0.0.1:{unheard.getsockname()[1]}", cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert "zypher serve" in ended.stderr


def test_check_shows_the_schemas_and_tries_an_input(tmp_path: Path) -> None:
    ended = zypher("check", target("typed.py:of_dataclass"), "--input", '{"x": 2, "y": 4}', "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    record = json.loads(ended.stdout)
    assert record["name"] == "of_dataclass"
    assert record["components"]["Point"]["properties"].keys() == {"x", "y"}
    assert (record["status"], record["output"]) == ("succeeded", 8)


def test_check_without_an_input_runs_nothing(tmp_path: Path) -> None:
    ended = zypher("check", target("echo.py:Echo"), "--json", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    record = json.loads(ended.stdout)
    assert record["name"] == "Echo"
    assert "status" not in record


def test_check_for_people(tmp_path: Path) -> None:
    ended = zypher("check", target("echo.py:Echo"), "--input", '"abc"', cwd=tmp_path)
    assert ended.returncode == 0
    assert "Echo" in ended.stdout
    assert '"3"' in ended.stdout


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [("ValueError", 1, "no such colour"), ("exit", 1, "exited with code 3"), ("NaN", 1, "nan")],
)
def test_check_prints_why_a_run_failed(tmp_path: Path, given: str, code: int, words: str) -> None:
    ended = zypher("check", target("trouble.py:Trouble"), "--input", json.dumps(given), cwd=tmp_path)
    assert ended.returncode == code
    assert words in ended.stderr


def test_check_refuses_what_a_server_refuses(tmp_path: Path) -> None:
    ended = zypher("check", target("typed.py:of_dataclass"), "--input", '{"x": "a", "y": 4}', cwd=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.endswith("$.input.x must be an integer.\n")


def test_check_takes_no_input_that_is_no_json(tmp_path: Path) -> None:
    ended = zypher("check", target("echo.py:Echo"), "--input", "abc", cwd=tmp_path)
    assert ended.returncode == 2
    assert "JSON" in ended.stderr
