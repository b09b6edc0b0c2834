"""The date of a server is wrong, and set right again: while it runs, at a start, after a kill."""

import os
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.asking import client_of, output, predict, submit, target
from tests.conftest import Serve
from tests.gate import Gate
from tests.server_process import ServerProcess

# Read at the start of every Python that finds it in its path.
_SITE = """
import os
from datetime import timedelta
from pathlib import Path
from zypher.clock import SystemClock

right = SystemClock.now
SystemClock.now = lambda self: right(self) + timedelta(seconds=float(Path(os.environ["AHEAD"]).read_text()))
"""
_KEYED = {"Idempotency-Key": "key", "Async-Mode": "true"}
_DAYS = timedelta(days=2)


class Date:
    """How far the date of the servers of a test is ahead of the right one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_SITE)
        self._file = folder / "ahead"
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        self.environment = {"PYTHONPATH": path, "AHEAD": str(self._file)}
        self.set(timedelta())

    def set(self, ahead: timedelta) -> None:
        written = self._file.with_suffix(".new")
        written.write_text(str(ahead.total_seconds()))
        written.replace(self._file)


@pytest.fixture
def date(tmp_path: Path) -> Date:
    return Date(tmp_path / "date")


def waited(client: httpx.Client) -> dict[str, float]:
    """Every counter and histogram of waiting times, by its name and bounds."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    waits = [each for each in families if each.name == "zypher_prediction_waiting_seconds"]
    return {str((sample.name, sample.labels)): sample.value for family in waits for sample in family.samples}


@pytest.mark.parametrize("by", [_DAYS, -_DAYS], ids=["ahead", "behind"])
def test_a_wrong_date_makes_no_result_old(serve: Serve, date: Date, by: timedelta) -> None:
    def start() -> ServerProcess:
        return serve(target("echo.py:Echo"), environment=date.environment)

    def check(client: httpx.Client) -> None:
        assert predict(client, "a", _KEYED).json()["prediction_id"] == keyed
        for each in (keyed, plain):
            assert output(client, each) == {"input": "a", "result": "1"}

    server = start()
    with client_of(server) as client:
        keyed = predict(client, "a", _KEYED).json()["prediction_id"]
        plain = submit(client, "a")
        for ahead in (timedelta(), by):
            date.set(ahead)
            check(client)
        during = submit(client, "b")
        assert output(client, during) == {"input": "b", "result": "1"}
    server.kill()
    for ahead in (by, timedelta(), by, timedelta()):
        date.set(ahead)
        server = start()
        with client_of(server) as client:
            check(client)
            assert output(client, during) == {"input": "b", "result": "1"}
        assert server.stop() == 0


def test_a_date_that_goes_back_makes_no_waiting_time_negative(serve: Serve, gate: Gate, date: Date) -> None:
    with client_of(serve(target("gated.py:Gated"), "--concurrency", "1", environment=date.environment)) as client:
        first = submit(client, gate.input("a"))
        gate.wait_for_runs(1)
        second = submit(client, gate.input("b"))
        before = waited(client)
        date.set(-_DAYS)
        gate.open()
        assert [output(client, each) for each in (first, second)] == ["A", "B"]
        after = waited(client)
    assert {name: (value, after[name]) for name, value in before.items() if after[name] < value} == {}
    assert sum(after.values()) > sum(before.values())
