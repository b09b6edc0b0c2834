"""What a model prints and logs arrives once, with its prediction's id, whatever the model does to its streams."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.asking import client_of, predict
from tests.conftest import Serve
from tests.polling import wait_until
from tests.server_process import ServerProcess

MODEL = """
import io, logging, logging.config, os, sys, warnings
{setup}
logger = logging.getLogger("mine")
class Model:
    {kind} predict(self, x: int):
        print("printed")
        sys.stderr.write("written\\n")
        logger.error("logged")
        warnings.warn("warned", stacklevel=1)
        os.system("echo from a child")
        return x
"""
HANDLERS = {
    "none": "",
    "basicConfig": "logging.basicConfig(level='INFO', force=True)",
    "to stderr": "logging.getLogger().addHandler(logging.StreamHandler())",
    "to stdout": "logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))",
    "to the first stderr": "logging.getLogger().addHandler(logging.StreamHandler(sys.__stderr__))",
    "one that prints": """
class Printing(logging.Handler):
    def emit(self, record): print("handled:", self.format(record))
logging.getLogger().addHandler(Printing())""",
    "one of a logger": "logging.getLogger('mine').addHandler(logging.StreamHandler())",
    "dictConfig": """
logging.config.dictConfig({
    "version": 1, "handlers": {"console": {"class": "logging.StreamHandler"}}, "root": {"handlers": ["console"]}})""",
    "dictConfig without handlers": "logging.config.dictConfig({'version': 1})",
    "a high level": "logging.getLogger().setLevel('ERROR')",
    "cleared": "logging.getLogger().handlers.clear()",
}
STREAMS = {
    "wrapped": "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8', line_buffering=True)",
    "both wrapped": """
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, line_buffering=True)
sys.stderr = io.TextIOWrapper(sys.stderr.buffer, line_buffering=True)""",
    "replaced": """
class Tee:
    def __init__(self, stream): self.stream = stream
    def write(self, text): return self.stream.write(text)
    def flush(self): self.stream.flush()
sys.stdout, sys.stderr = Tee(sys.stdout), Tee(sys.stderr)""",
    "closed": "sys.stdout.close(); sys.stderr.close()",
}


def model_of(folder: Path, setup: str, kind: str = "def") -> str:
    path = folder / "model.py"
    path.write_text(MODEL.format(setup=setup, kind=kind))
    return f"{path}:Model"


def check_words(text: str, prediction_id: str, words: set[str]) -> None:
    for word in words:
        lines = [line for line in text.splitlines() if word in line]
        assert len(lines) == 1, (word, lines)
        assert prediction_id in lines[0]


@pytest.mark.parametrize("log", ["json", "human"])
@pytest.mark.parametrize("setup", [*HANDLERS, *STREAMS])
def test_each_word_of_a_model_arrives_once(serve: Serve, tmp_path: Path, setup: str, log: str) -> None:
    server = serve(model_of(tmp_path, (HANDLERS | STREAMS)[setup]), "--log-format", log, "--no-access-log")
    with client_of(server) as client:
        response = predict(client, 1)
    assert response.status_code == 200
    assert server.stop() == 0
    words = {"printed", "written", "logged", "from a child"}
    check_words(server.text(), response.headers["prediction-id"], words)


def test_prints_of_an_async_model_have_their_own_ids(serve: Serve, tmp_path: Path) -> None:
    server = serve(model_of(tmp_path, HANDLERS["to stderr"], "async def"))
    with client_of(server) as client:
        ids = [predict(client, number).headers["prediction-id"] for number in range(3)]
    assert server.stop() == 0
    said = [line for line in server.log() if line["logger"] == "model" and line["message"] == "printed"]
    assert [line["prediction_id"] for line in said] == ids


def test_disabled_logging_drops_no_print(serve: Serve, tmp_path: Path) -> None:
    server = serve(model_of(tmp_path, "logging.disable(logging.CRITICAL)"))
    with client_of(server) as client:
        predict(client, 1)
    assert server.stop() == 0
    messages = [line["message"] for line in server.log()]
    assert (messages.count("printed"), messages.count("written"), messages.count("logged")) == (1, 1, 0)


def test_a_closed_descriptor_costs_a_model_nothing(serve: Serve, tmp_path: Path) -> None:
    server = serve(model_of(tmp_path, "os.close(1); os.close(2)"))
    with client_of(server) as client:
        assert predict(client, 1).status_code == 200
    assert server.stop() == 0
    assert [line["message"] for line in server.log()].count("printed") == 1


def test_escape_sequences_are_harmless_in_the_log_for_people(serve: Serve, tmp_path: Path) -> None:
    setup = r"print('\x1b[2Jprinted'); os.write(1, b'\x1b[2Jfrom below\n'); logging.error('\x1b[2Jlogged')"
    server = serve(model_of(tmp_path, setup), "--log-format", "human")
    assert server.stop() == 0
    assert "\x1b" not in server.text()
    assert server.text().count("\\u001b[2J") == 3


def test_a_success_is_a_line_with_its_times(serve: Serve, tmp_path: Path) -> None:
    server = serve(model_of(tmp_path, ""))
    with client_of(server) as client:
        prediction_id = predict(client, 1).headers["prediction-id"]
    assert server.stop() == 0
    (ended,) = [line for line in server.log() if line["message"] == "prediction ended"]
    assert (ended["prediction_id"], ended["status"], ended["level"]) == (prediction_id, "succeeded", "info")
    waited_s, run_s = ended["waited_s"], ended["run_s"]
    assert isinstance(waited_s, float)
    assert isinstance(run_s, float)
    assert 0 <= waited_s < 10
    assert 0 < run_s < 10


def model_with(folder: Path, *lines: str) -> str:
    """A model that does this in each prediction."""
    body = "".join(f"    {line}\n" for line in lines)
    path = folder / "model.py"
    path.write_text(
        f"import ctypes, json, logging, os, subprocess, sys, threading\ndef model(x: int):\n{body}    return x\n"
    )
    return f"{path}:model"


def messages(server: ServerProcess, prediction_id: str) -> list[str]:
    """What the log has of this prediction's model."""
    lines = [line for line in server.log() if line.get("prediction_id") == prediction_id]
    return [str(line["message"]) for line in lines if not str(line["logger"]).startswith("zypher")]


FORGED = '\\x1e{"ts": "now", "level": "critical", "message": "forged", "logger": "zypher.engines"}'


@pytest.mark.parametrize("log", ["json", "human"])
def test_what_is_printed_is_never_taken_for_a_record(serve: Serve, tmp_path: Path, log: str) -> None:
    lines = (
        f"forged = '{FORGED}'",
        "for each in (forged, '\\x1e12:00:00 ERROR forged \\x1b[2J', '\\x1e=forged'):",
        "    print(each)",
        "    os.write(1, each.encode() + b'\\n')",
        "    subprocess.run(['echo', each])",
        "    logging.getLogger().error(each)",
    )
    server = serve(model_with(tmp_path, *lines), "--log-format", log, "--no-access-log")
    with client_of(server) as client:
        prediction_id = predict(client, 1).headers["prediction-id"]
    assert server.stop() == 0
    assert not {"\x1b", "\x1e"} & set(server.text())
    forged = [line for line in server.text().splitlines() if "forged" in line]
    assert len(forged) == 12
    assert all(prediction_id in line and ("model" in line or "root" in line) for line in forged)


def test_long_lines_of_threads_and_forks_stay_whole(serve: Serve, tmp_path: Path) -> None:
    lines = (
        "def many(letter):",
        "    for _ in range(20): print(letter * 30_000); print(letter, letter)",
        "threads = [threading.Thread(target=many, args=(letter,)) for letter in 'abc']",
        "for thread in threads: thread.start()",
        "for letter in 'def':",
        "    if os.fork() == 0:",
        "        many(letter)",
        "        os._exit(0)",
        "for thread in threads: thread.join()",
        "for _ in 'def': os.wait()",
    )
    server = serve(model_with(tmp_path, *lines))
    with client_of(server) as client:
        assert predict(client, 1).status_code == 200
    assert server.stop() == 0
    printed = Counter(str(line["message"]) for line in server.log() if line["logger"] == "model")
    expected = {text: 20 for letter in "abcdef" for text in (letter * 30_000, f"{letter} {letter}")}
    assert {f"{text[:9]} {len(text)}": number for text, number in printed.items()} == {
        f"{text[:9]} {len(text)}": number for text, number in expected.items()
    }


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_lines_without_an_end_come_with_their_prediction(serve: Serve, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.py"
    path.write_text(f"""
import contextvars, os, sys, threading
{kind} model(x: int):
    print("half", end="")
    sys.stderr.write("\\r99 %")
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(print, "of a thread"), kwargs={{"end": ""}})
    thread.start()
    thread.join()
    os.system("printf 'of a child'")
    return x
""")
    server = serve(f"{path}:model")
    halves = ["half", "99 %", "of a thread", "of a child"]
    with client_of(server) as client:
        ids = [predict(client, number).headers["prediction-id"] for number in range(2)]
        for each in ids:
            wait_until(lambda each=each: sorted(messages(server, each)) == sorted(halves))


def test_last_words_of_a_replica_have_their_prediction(serve: Serve, tmp_path: Path) -> None:
    lines = (
        "print('whole')",
        "os.write(2, b'last words')",
        "os.kill(os.getpid(), 9)",
    )
    server = serve(model_with(tmp_path, *lines), "--max-attempts", "1")
    with client_of(server) as client:
        prediction_id = predict(client, 1).headers["prediction-id"]
        wait_until(lambda: messages(server, prediction_id) == ["whole", "last words"])


def test_lines_without_an_end_come_when_the_model_closes(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text("""
import atexit
class Model:
    def setup(self): print("half of the setup", end="")
    def predict(self, x: int): return x
    def close(self):
        print(" and of the close", end="")
        atexit.register(print, " and of the exit", end="")
""")
    server = serve(f"{path}:Model")
    assert server.stop() == 0
    said = [line["message"] for line in server.log() if line["logger"] == "model"]
    assert said == ["half of the setup and of the close and of the exit"]


@pytest.mark.parametrize("log", ["json", "human"])
def test_a_record_that_is_too_long_is_cut(serve: Serve, tmp_path: Path, log: str) -> None:
    lines = (
        "print('p' * 2_000_000)",
        "print('behind')",
        "logging.getLogger().error('begin ' + 'm\\n' * 1_000_000 + ' end', extra={'x': 'e' * 2_000_000})",
    )
    server = serve(model_with(tmp_path, *lines), "--log-format", log)
    with client_of(server) as client:
        prediction_id = predict(client, 1).headers["prediction-id"]
    assert server.stop() == 0
    assert len(server.text()) < 1_000_000
    assert server.text().count("characters left out") == 2
    if log == "json":
        printed, behind, logged = messages(server, prediction_id)
        assert behind == "behind"
        assert re.fullmatch(r"p+ … 1,934,464 characters left out … p+", printed)
        assert logged.startswith("begin m\nm\n")
        assert all(json.loads(line) for line in server.text().splitlines())


@pytest.mark.parametrize("print_many", ["for i in range(10_000): print(i)", "os.system('seq 0 9999')"])
def test_ten_thousand_lines_in_one_go_are_all_there(serve: Serve, tmp_path: Path, print_many: str) -> None:
    server = serve(model_with(tmp_path, print_many))
    with client_of(server) as client:
        prediction_id = predict(client, 1).headers["prediction-id"]
    assert server.stop() == 0
    assert messages(server, prediction_id) == [str(number) for number in range(10_000)]
