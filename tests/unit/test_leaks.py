"""The fixture that finds what a test leaves behind finds it."""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.leaks import Holdings, left_behind, tasks_left
from tests.missing import missing


def _found(before: Holdings) -> str:
    return "; ".join(left_behind(before, count_descriptors=True, patience_s=0))


def test_nothing_left_is_nothing_found() -> None:
    assert _found(Holdings.now()) == ""


def test_a_process_is_found() -> None:
    before = Holdings.now()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert f"process {child.pid}" in _found(before)
        child.communicate(b"\n")
    assert _found(before) == ""


def test_a_thread_is_found() -> None:
    before = Holdings.now()
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="forgotten")
    thread.start()
    try:
        assert "thread forgotten" in _found(before)
    finally:
        done.set()
        thread.join()


def test_a_temporary_file_is_found() -> None:
    before = Holdings.now()
    with tempfile.NamedTemporaryFile() as file:
        assert f"file {file.name}" in _found(before)


def test_a_data_folder_in_the_working_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = Holdings.now()
    (tmp_path / ".zypher").mkdir()
    assert ".zypher" in _found(before)


def test_an_open_descriptor_is_found() -> None:
    before = Holdings.now()
    ends = os.pipe()
    try:
        assert _found(before) == "2 open file descriptors or sockets"
    finally:
        for end in ends:
            os.close(end)


async def test_a_task_is_found() -> None:
    before = asyncio.all_tasks()
    task = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
    assert "forgotten" in "; ".join(await tasks_left(before))
    task.cancel()
    assert await tasks_left(before) == []


def test_a_missing_tool_fails_in_ci_and_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Install it"):
        missing("Install it.")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="Install it"):
        missing("Install it.")
