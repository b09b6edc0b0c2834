"""What a worker adds to the log of what its replicas write."""

import asyncio
import json
import os

import pytest

from zypher.settings import LogFormat, LogSettings
from zypher.worker import replica_log
from zypher.worker.protocol import FINISHED
from zypher.worker.replica_log import ReplicaLog


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def keep(text: str) -> None:
        lines.extend(text.splitlines())

    monkeypatch.setattr(replica_log, "write_lines", keep)
    return lines


def passed_on(data: bytes, shown: LogFormat = LogFormat.JSON) -> None:
    log = ReplicaLog(LogSettings(format=shown), lambda: "abc")
    end = log.open()
    os.write(end, data)
    os.close(end)
    log.close()


async def test_a_line_from_below_python_becomes_a_record(written: list[str]) -> None:
    passed_on(b"a word\n\n  \n\xff\n")
    records = [json.loads(line) for line in written]
    assert [record["message"] for record in records] == ["a word", "\\xff"]
    assert {(record["level"], record["logger"], record["prediction_id"]) for record in records} == {
        ("info", "model", "abc")
    }


async def test_a_finished_line_stays_as_it_is(written: list[str]) -> None:
    passed_on(FINISHED + b'{"a": 1}\n' + b"half " + FINISHED + b'{"b": 2}\nrest')
    assert written[0] == '{"a": 1}'
    assert json.loads(written[1])["message"] == "half "
    assert written[2] == '{"b": 2}'
    assert json.loads(written[3])["message"] == "rest"


async def test_of_a_progress_bar_the_last_state_is_shown(written: list[str]) -> None:
    passed_on(b"".join(b"\r%d %%" % percent for percent in range(101)) + b"\n")
    assert [json.loads(line)["message"] for line in written] == ["100 %"]


async def test_escape_sequences_are_harmless_to_people(written: list[str]) -> None:
    passed_on(b"\x1b[2J\n" + FINISHED + b"\x1b[2J\n", LogFormat.HUMAN)
    assert "\x1b" not in "".join(written)
    assert ["\\u001b[2J" in line for line in written] == [True, True]


async def test_a_line_without_end_is_cut(written: list[str]) -> None:
    passed_on(b"x" * 20_000)
    assert [len(json.loads(line)["message"]) for line in written] == [10_240, 9_760]


async def test_lines_are_passed_on_while_the_replica_lives(written: list[str]) -> None:
    log = ReplicaLog(LogSettings(format=LogFormat.JSON), lambda: None)
    end = log.open()
    os.write(end, b"one\n")
    async with asyncio.timeout(10):
        while not written:
            await asyncio.sleep(0)
    os.close(end)
    log.close()
    assert "prediction_id" not in json.loads(written[0])
