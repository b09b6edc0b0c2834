"""A disk that takes nothing more, then takes again."""

import subprocess
import sys
from pathlib import Path

from tests.contract.phrases import MODEL, receive_ids, status
from tests.fault.engine_child import engine_in
from zypher.prediction import Status


def said_by_the_child(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "tests.fault.engine_child", "fill", str(folder)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (child.returncode, child.stderr) == (0, "")
    return child.stdout.splitlines()


async def test_a_full_disk_refuses_loses_nothing_and_recovers_by_itself(tmp_path: Path) -> None:
    lines = said_by_the_child(tmp_path)
    assert lines[0].startswith(f"refused Predictions cannot be stored in {tmp_path}")
    assert lines[1:5] == ["transient queued", "problem True", "settled True", "problem False"]
    accepted_at_last = lines[5].removeprefix("accepted ")
    engine = engine_in(tmp_path)
    await engine.open()
    try:
        waiting = await receive_ids(engine)
        assert waiting[-1] == accepted_at_last
        assert (await engine.queues(MODEL))[MODEL].running == len(waiting)
        assert await status(engine, accepted_at_last) is Status.RUNNING
    finally:
        await engine.close()
