"""`zypher predict` against a real server that gives the contract's answers."""

import io
import json
import signal
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests.fake_clock import FakeClock
from tests.scripted_server import HANG_UP, SILENCE, Script, Scripted, accepted, pending, problem, serving, succeeded
from tests.terminal import Terminal
from zypher.cli.main import main
from zypher.cli.predict import Progress
from zypher.client.protocol import Pending

ZYPHER = [sys.executable, "-c", "import sys; from zypher.cli.main import main; sys.exit(main())"]
OUTPUT = '{"input": "text", "result": "1234"}'
FAILED = Scripted(500, '{"error": "Prediction failed: ValueError: no.", "prediction_id": "abc123"}')


BASE64 = {"type": "string", "contentEncoding": "base64"}


def described(schema: dict[str, object]) -> Scripted:
    """The description of a model whose input has this schema."""
    body = {"content": {"application/json": {"schema": {"properties": {"input": schema}}}}}
    return Scripted(200, json.dumps({"paths": {"/predict": {"post": {"requestBody": body}}}}))


def sent(script: Script) -> object:
    return json.loads(script.asked[-1].body)["input"]


def test_the_output_is_one_json_line_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(accepted(), pending(), succeeded(OUTPUT)) as script:
        assert main(["predict", "text", "--url", script.url]) == 0
    assert capsys.readouterr() == ('{"input":"text","result":"1234"}\n', "")
    assert script.asked[0].headers["async-mode"] == "true"


def test_the_whole_record(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(accepted(), succeeded("1.50")) as script:
        assert main(["predict", "text", "--json", "--url", script.url]) == 0
    assert capsys.readouterr().out == '{"prediction_id":"abc123","status":"succeeded","output":1.50}\n'


@pytest.mark.parametrize("text", ["some text", "42", "[1, 2]", "", "true", '"quoted"', "é\n漢"])
def test_an_input_is_sent_as_text(text: str) -> None:
    with serving(accepted()) as script:
        main(["predict", text, "--async", "--url", script.url])
    assert sent(script) == text


def test_a_json_input_is_sent_as_it_is() -> None:
    with serving(accepted()) as script:
        main(["predict", "--json-input", '[0, 1.50, {"a": null}]', "--async", "--url", script.url])
    assert script.asked[0].body == b'{"input":[0, 1.50, {"a": null}]}'


def test_an_input_from_a_file() -> None:
    Path("notes.md").write_bytes("# é\r\n".encode())
    with serving(described({"type": "string"}), accepted()) as script:
        main(["predict", "--file", "notes.md", "--async", "--url", script.url])
    assert sent(script) == "# é\r\n"


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\xff", b"abcd", b""], ids=["binary", "text", "nothing"])
@pytest.mark.parametrize("schema", [BASE64, {"anyOf": [BASE64, {"type": "null"}]}], ids=["bytes", "optional"])
def test_a_file_for_a_model_that_takes_bytes(content: bytes, schema: dict[str, object]) -> None:
    Path("x.png").write_bytes(content)
    with serving(described(schema), accepted()) as script:
        assert main(["predict", "--file", "x.png", "--async", "--url", script.url]) == 0
    assert sent(script) == b64encode(content).decode()


def test_a_binary_file_for_a_text_model_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("x.png").write_bytes(b"\x89PNG")
    with serving(described({"type": "string"}), accepted()) as script:
        assert main(["predict", "--file", "x.png", "--url", script.url]) == 2
    assert (
        capsys.readouterr().err
        == "zypher: The input is not UTF-8, and the model takes no bytes alone; send a text or JSON.\n"
    )


def test_an_input_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[1, 2]\n")))
    with serving(accepted()) as script:
        main(["predict", "-", "--json-input", "--async", "--url", script.url])
    assert sent(script) == [1, 2]


def test_the_server_may_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(accepted()) as script:
        monkeypatch.setenv("ZYPHER_URL", script.url)
        assert main(["predict", "text", "--async"]) == 0


def test_async_prints_the_id_and_how_to_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(accepted()) as script:
        assert main(["predict", "text", "--async", "--url", script.url]) == 0
    assert capsys.readouterr() == ("abc123\n", f"Read it with: curl {script.url}/predict/abc123\n")
    assert len(script.asked) == 1


def test_async_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(accepted()) as script:
        assert main(["predict", "text", "--async", "--json", "--url", script.url]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"prediction_id": "abc123", "status": "queued", "location": f"{script.url}/predict/abc123"}


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([accepted(), FAILED], "Prediction failed: ValueError: no."),
        ([problem(503, "The queue is full.", Retry_After="9")], "The queue is full. Try again in 9 s."),
        (
            [problem(422, "$.input: wrong.")],
            "$.input: wrong. The input was sent as text; --json-input sends it as JSON.",
        ),
        ([problem(413, "Too large.")], "Too large."),
        ([accepted(), problem(404, "Prediction ID not found.")], "Prediction ID not found."),
        ([problem(500, "\x1b[31mred")], "The server answered 500: \\u001b[31mred"),
        ([Scripted(200, "<html>")], "The response with status 200 is not from a ZypherAI server; check the URL."),
    ],
)
def test_an_error_is_one_sentence_and_exit_code_1(
    answers: list[Scripted], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(*answers) as script:
        assert main(["predict", "text", "--url", script.url]) == 1
    assert capsys.readouterr() == ("", f"zypher: {sentence}\n")


def test_a_json_input_that_does_not_fit_needs_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(problem(422, "$.input: wrong.")) as script:
        main(["predict", "--json-input", "42", "--url", script.url])
    assert capsys.readouterr().err == "zypher: $.input: wrong.\n"


def test_a_failure_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(accepted(), FAILED) as script:
        assert main(["predict", "text", "--json", "--url", script.url]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {
        "prediction_id": "abc123",
        "status": "failed",
        "error": "Prediction failed: ValueError: no.",
    }
    assert shown.err == "zypher: Prediction failed: ValueError: no.\n"


def test_a_lost_server_leaves_a_hint_to_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(accepted(), HANG_UP) as script:
        assert main(["predict", "text", "--url", script.url]) == 1
    shown = capsys.readouterr().err
    assert "closed the connection" in shown
    assert shown.endswith(f"The prediction is not lost. Read it with: curl {script.url}/predict/abc123\n")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--url", "nowhere", "text"], "'nowhere' is no server's URL; write it as http://localhost:8080."),
        (["--file", "missing"], "missing cannot be read: No such file or directory."),
        (
            ["--json-input", "{"],
            "The input is not JSON (Input data was truncated); without --json-input it is sent as text.",
        ),
        (["--json-input", "[" * 100_000], "The input is not JSON ("),
        (["\udcff"], "The input is not UTF-8; put it into a file, and name that with --file."),
        ([], "One of the arguments INPUT --file is required; see `zypher predict --help`."),
        (["a", "--file", "b"], "Argument --file: not allowed with argument INPUT; see `zypher predict --help`."),
    ],
)
def test_a_wrong_command_is_exit_code_2(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", *argv]) == 2
    assert capsys.readouterr().err.startswith(f"zypher: {sentence}")


def test_the_live_line_counts_the_queue_and_the_seconds() -> None:
    clock = FakeClock()
    progress = Progress(clock)

    def at(position: int, after_s: float) -> str:
        clock.advance(after_s)
        return progress.of(Pending("abc123", position, 1))

    assert at(3, after_s=0) == "queued, position 3"
    assert at(0, after_s=1) == "running, 0.0 s"
    assert at(0, after_s=4.2) == "running, 4.2 s"
    assert at(1, after_s=1) == "queued, position 1"
    assert at(0, after_s=1) == "running, 0.0 s"


def test_a_terminal_shows_a_live_line_until_the_output() -> None:
    with serving(accepted(position=3), pending(position=0), succeeded(OUTPUT)) as script, Terminal() as terminal:
        command = [*ZYPHER, "predict", "text", "--url", script.url]
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal.theirs, check=False)
        terminal.hand_over()
        drawn = terminal.read_to_the_end()
    assert ended.returncode == 0
    assert drawn.split("\r\x1b[K") == ["", "sending", "", "sending", "", "queued, position 3", "running, 0.0 s", ""]
    assert json.loads(ended.stdout) == json.loads(OUTPUT)
    assert "wait=1" in script.asked[-1].path


def test_on_a_terminal_the_output_is_indented() -> None:
    with serving(accepted(), succeeded('["\x9b2J"]')) as script, Terminal() as terminal:
        subprocess.run([*ZYPHER, "predict", "text", "--url", script.url], stdout=terminal.theirs, check=True)
        terminal.hand_over()
        assert terminal.read_to_the_end() == '[\r\n  "\\u009b2J"\r\n]\r\n'


def test_an_interrupted_predict_prints_how_to_read_the_result() -> None:
    with serving(accepted(), SILENCE) as script:
        command = [*ZYPHER, "predict", "text", "--url", script.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
            script.await_asked(2)
            waiting.send_signal(signal.SIGINT)
            shown = waiting.communicate()
    goes_on = f"zypher: Interrupted; the prediction goes on. Read it with: curl {script.url}/predict/abc123\n"
    assert shown == ("", goes_on)
    assert waiting.returncode == 130
