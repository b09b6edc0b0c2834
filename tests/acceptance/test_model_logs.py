"""What a model prints and logs arrives once, with its prediction's id, whatever the model does to its streams."""

from pathlib import Path

import pytest

from tests.asking import client_of, predict
from tests.conftest import Serve

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
