"""One of several replicas that cannot load the model, while another can."""

from pathlib import Path

from tests.asking import client_of, predict
from tests.gate import Gate
from tests.polling import wait_until
from tests.server_process import ServerProcess

SOURCE = """
import fcntl, pathlib

class Model:
    def setup(self):
        try:
            pathlib.Path("first").touch(exist_ok=False)
        except FileExistsError:
            with open("gate") as gate: fcntl.flock(gate, fcntl.LOCK_SH)
        else:
            raise RuntimeError("the device is busy")

    def predict(self, x: int): return x
"""


def test_one_failed_setup_does_not_end_the_server(gate: Gate) -> None:
    (gate.folder / "model.py").write_text(SOURCE)
    with ServerProcess(gate.folder, "model.py:Model", "--replicas", "2") as server:
        wait_until(lambda: _problems(server))
        gate.open()
        with client_of(server.wait_ready()) as client:
            assert predict(client, 7).json() == 7
            wait_until(lambda: 'zypher_replicas_ready{model="Model"} 2.0' in client.get("/metrics").text)
        assert server.stop() == 0
    assert _problems(server) == ["`Model.setup` raised RuntimeError: the device is busy."]


def test_a_setup_that_fails_in_each_replica_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(SOURCE.replace("exist_ok=False", "exist_ok=True"))
    with ServerProcess(tmp_path, "model.py:Model", "--replicas", "2") as server:
        assert server.wait() == 2
        assert "\nzypher: `Model.setup` raised RuntimeError: the device is busy.\n" in server.text()


def _problems(server: ServerProcess) -> list[object]:
    return [record["problem"] for record in server.log() if record["message"] == "a replica cannot start"]
