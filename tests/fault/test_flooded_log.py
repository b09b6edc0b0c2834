"""Processes of a model that print without end."""

from pathlib import Path
from statistics import median
from time import perf_counter

import httpx

from tests.asking import client_of, predict
from tests.conftest import Serve
from tests.fault.test_unread_log import dropped
from tests.polling import wait_until

MODEL = """
import subprocess
class Model:
    def setup(self): subprocess.Popen(["yes"])
    def predict(self, x: int):
        print("printed", x)
        return x
"""


def live_s(client: httpx.Client) -> float:
    began_s = perf_counter()
    assert client.get("/healthz/live").status_code == 200
    return perf_counter() - began_s


def test_floods_are_cut_and_cost_others_little(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    server = serve("model.py:Model", "--replicas", "4", "--no-access-log")
    with client_of(server) as client:
        wait_until(lambda: dropped(client) > 0)
        assert median(live_s(client) for _ in range(100)) < 0.02
        wait_until(lambda: "lines left out" in server.text())
        # Between two floods there is room for what the model itself prints.
        wait_until(lambda: predict(client, 1).json() == 1 and '"printed 1"' in server.text())
    assert server.stop() == 0
