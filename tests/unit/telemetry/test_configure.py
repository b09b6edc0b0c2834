"""The log of a whole process, as its standard error shows it."""

import json
import subprocess
import sys

from tests.terminal import Terminal

PROGRAM = """
import asyncio, logging, sys, warnings
from zypher.settings import LogFormat, LogLevel, LogSettings
from zypher.telemetry.logs import configure
configure(LogSettings())
configure(LogSettings(level=LogLevel(sys.argv[1]), format=LogFormat(sys.argv[2])))
logging.getLogger("zypher.room").debug("quiet")
logging.getLogger("zypher.room").info("heard")
logging.getLogger("asyncio").debug("Using selector")
warnings.warn("old ways")
"""


def run(*arguments: str) -> list[str]:
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    return ended.stderr.splitlines()


def test_json_lines_without_a_terminal() -> None:
    lines = [json.loads(line) for line in run("info", "auto")]
    assert [line["logger"] for line in lines] == ["zypher.room", "py.warnings"]
    assert [line["level"] for line in lines] == ["info", "warning"]
    assert "old ways" in lines[1]["message"]


def test_debug_shows_ours_and_not_the_noise_of_others() -> None:
    lines = [json.loads(line) for line in run("debug", "json")]
    assert [line["message"] for line in lines if line["logger"] != "py.warnings"] == ["quiet", "heard"]


def test_human_lines_when_asked() -> None:
    assert [line.split(" ", 1)[1] for line in run("error", "human")] == []
    assert run("info", "human")[0].endswith(" INFO    heard")


def test_human_lines_on_a_terminal() -> None:
    with Terminal() as terminal:
        subprocess.run([sys.executable, "-c", PROGRAM, "info", "auto"], stderr=terminal.theirs, check=True)
        terminal.hand_over()
        assert " INFO    heard\r\n" in terminal.read_to_the_end()
