"""kill -9 of a process that accepts: whatever it acknowledged is there."""

import json
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.phrases import MODEL, receive_ids, status
from tests.fault.engine_child import engine_in
from zypher.prediction import Lane, Status


def acknowledged_before_the_kill(folder: Path, lines: int, deed: str = "submit") -> dict[str, set[str]]:
    """Kill the child after so many acknowledgements; returns all that it managed to say."""
    said: dict[str, set[str]] = defaultdict(set)
    command = [sys.executable, "-m", "tests.fault.engine_child", deed, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for number, line in enumerate(child.stdout):
            if number == lines:
                child.kill()
            if line.endswith("\n"):
                kind, prediction_id = line.split()
                said[kind].add(prediction_id)
    return said


@pytest.mark.parametrize("lines", [1, 300, 3000])
async def test_nothing_acknowledged_is_lost(tmp_path: Path, lines: int) -> None:
    said = acknowledged_before_the_kill(tmp_path, lines)
    assert len(said["accepted"]) + len(said["settled"]) >= lines
    engine = engine_in(tmp_path)
    await engine.open()
    try:
        for prediction_id in said["settled"]:
            assert await status(engine, prediction_id) is Status.SUCCEEDED
        waiting = set(await receive_ids(engine))
        ended = {each for each in said["accepted"] - waiting if await status(engine, each) is Status.SUCCEEDED}
        assert said["accepted"] <= waiting | ended
        assert not waiting & said["settled"]
        assert (await engine.queues(MODEL))[MODEL].queued == 0
    finally:
        await engine.close()


@pytest.mark.parametrize("lines", [100, 1000])
async def test_stops_events_and_notices_outlast_a_kill(tmp_path: Path, lines: int) -> None:
    said = acknowledged_before_the_kill(tmp_path, lines, "end")
    assert said["stopping"]
    assert said["settled"]
    engine = engine_in(tmp_path)
    await engine.open()
    try:
        for prediction_id in said["stopping"]:
            ended = await engine.get(prediction_id, None)
            assert ended is not None
            assert ended.status is Status.CANCELLED
        for prediction_id in said["published"]:
            assert [each.number for each in await engine.events(prediction_id) or []] == [1]
        noticed: list[str] = []
        while notices := await engine.receive(MODEL, 1000, 0, (Lane.WEBHOOKS,)):
            noticed += [json.loads(each.message.input) for each in notices]
        assert said["settled"] | said["stopping"] <= set(noticed)
        assert len(noticed) == len(set(noticed))
    finally:
        await engine.close()


@pytest.mark.parametrize("lines", [2, 10, 30])
async def test_nothing_is_lost_while_the_file_shrinks(tmp_path: Path, lines: int) -> None:
    said = acknowledged_before_the_kill(tmp_path, lines, "shrink")
    with closing(sqlite3.connect(tmp_path / "zypher.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    engine = engine_in(tmp_path)
    await engine.open()
    try:
        assert said["accepted"] == set(await receive_ids(engine))
    finally:
        await engine.close()
