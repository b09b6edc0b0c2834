"""What a worker adds to the log of what its replicas write."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator

import pytest

from tests.fake_clock import FakeClock, eventually
from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.formats import formatter
from zypher.worker import replica_log
from zypher.worker.log_lines import pieces
from zypher.worker.replica_log import ReplicaLog

RECORD = '{"ts": "now", "level": "info", "message": "a", "logger": "b", "n": 1.5, "yes": true, "none": null}'
HUMAN_RECORD = "12:00:00 ERROR   a message\n    and more\n    "


class Worker:
    """Reads the log of a replica, in which prediction "abc" runs."""

    def __init__(self, shown: LogFormat = LogFormat.JSON) -> None:
        self.clock = FakeClock()
        self.looked_up = 0  # how often the prediction was
        self.log = ReplicaLog(LogSettings(format=shown), self._prediction_id, self.clock)
        self._end = self.log.open()

    def _prediction_id(self) -> str:
        self.looked_up += 1
        return "abc"

    def print(self, data: bytes) -> None:
        os.write(self._end, data)

    def record(self, *lines: str) -> None:
        for line in lines:
            for piece in pieces(self.log.mark, line):
                os.write(self._end, piece)

    def close(self) -> None:
        os.close(self._end)
        self.log.close()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def keep(text: str) -> None:
        assert text.endswith("\n")
        lines.extend(text[:-1].split("\n"))

    monkeypatch.setattr(replica_log, "write_lines", keep)
    return lines


def passed_on(data: bytes, shown: LogFormat = LogFormat.JSON) -> None:
    worker = Worker(shown)
    worker.print(data)
    worker.close()


def messages(written: list[str]) -> list[str]:
    return [json.loads(line)["message"] for line in written]


async def test_a_line_from_below_python_becomes_a_record(written: list[str]) -> None:
    passed_on(b"a word\n\n  \n\xff\n")
    records = [json.loads(line) for line in written]
    assert [record["message"] for record in records] == ["a word", "\\xff"]
    assert {(record["level"], record["logger"], record["prediction_id"]) for record in records} == {
        ("info", "model", "abc")
    }


@pytest.mark.parametrize(("shown", "record"), [(LogFormat.JSON, RECORD), (LogFormat.HUMAN, HUMAN_RECORD)])
async def test_a_record_stays_as_it_is(written: list[str], shown: LogFormat, record: str) -> None:
    worker = Worker(shown)
    worker.print(b"half ")
    worker.record(record)
    worker.print(b"line\n")
    worker.close()
    assert written[:-1] == record.split("\n")
    assert "half line" in written[-1]


def nasty_records() -> Iterator[logging.LogRecord]:
    """Messages, names and extras of every character below 256 and some above, and a traceback."""
    for code in (*range(256), 0x2028, 0x202E, 0xD800, 0xFFFF, 0x1F600):
        record = logging.LogRecord(f"n{chr(code)}", 17, "", 0, f"a{chr(code)}b\n{chr(code)}", None, None)
        record.levelname = f"L{chr(code)}"
        record.__dict__ |= {f"k{chr(code)}": chr(code), "inf": float("inf"), "large": 2**70, "list": [1], "yes": True}
        yield record
    try:
        raise ValueError("a\r\nb\x1b")
    except ValueError:
        yield logging.LogRecord("n", logging.ERROR, "", 0, "", None, sys.exc_info())


@pytest.mark.parametrize("shown", [LogFormat.JSON, LogFormat.HUMAN])
async def test_whatever_is_logged_is_a_record(written: list[str], shown: LogFormat) -> None:
    worker = Worker(shown)
    formatted = [formatter(shown).format(record) for record in nasty_records()]
    for each in formatted:
        worker.record(each)
        worker.log.drain()
    worker.close()
    assert "\n".join(written) == "\n".join(formatted)


@pytest.mark.parametrize(
    "broken",
    [
        '{"ts": "now", "level": "info", "message": "no logger"}',
        RECORD[:-1],
        RECORD + RECORD,
        f"[{RECORD}]",
        RECORD.replace("1.5", '["deep"]'),
        RECORD.replace("now", "n\xf6w"),
        RECORD.replace("now", "\x9b2J"),
        RECORD.replace(", ", ",\t"),
        f"{RECORD}\n{RECORD}",
        RECORD.replace(", ", ",\n"),
        "a text",
    ],
)
async def test_what_is_no_record_becomes_text(written: list[str], broken: str) -> None:
    worker = Worker()
    worker.record(broken)
    worker.close()
    assert messages(written) == broken.split("\n")


@pytest.mark.parametrize(
    "broken",
    ["a text", "12:00:00 ERROR a\nb", "12:00:00 ERROR a\n    b\n\n    c", "12:00:00 \x1b[2J", "12:00:00 \u202e"],
)
async def test_what_is_no_record_becomes_text_for_people(written: list[str], broken: str) -> None:
    worker = Worker(LogFormat.HUMAN)
    worker.record(broken)
    worker.close()
    lines = [line for line in broken.split("\n") if line]
    assert [line.endswith("logger=model") for line in written] == [True] * len(lines)
    assert "\x1b" not in "".join(written)


@pytest.mark.parametrize("shown", [LogFormat.JSON, LogFormat.HUMAN])
async def test_a_mark_that_is_printed_forges_nothing(written: list[str], shown: LogFormat) -> None:
    passed_on(b"\x1e" + RECORD.encode() + b"\n\x1e=" + HUMAN_RECORD.encode() + b"\x1b[2J\n", shown)
    assert "\x1b" not in "".join(written)
    assert "\x1e" not in "".join(written)
    assert all("model" in line for line in written)


async def test_a_record_that_is_cut_becomes_text(written: list[str]) -> None:
    worker = Worker()
    worker.print(next(pieces(worker.log.mark, RECORD[:-2] + "x" * 9_000)))
    worker.close()
    (message,) = messages(written)
    assert message.startswith(RECORD[:-2] + "xxx")
    assert message.endswith("xxx … the rest of this record is missing")


async def test_of_a_progress_bar_the_last_state_is_shown(written: list[str]) -> None:
    passed_on(b"".join(b"\r%d %%" % percent for percent in range(101)) + b"\n")
    assert [json.loads(line)["message"] for line in written] == ["100 %"]


async def test_escape_sequences_are_harmless_to_people(written: list[str]) -> None:
    passed_on(b"\x1b[2J\n", LogFormat.HUMAN)
    assert "\x1b" not in written[0]
    assert "\\u001b[2J" in written[0]


async def test_a_line_without_end_is_cut(written: list[str]) -> None:
    passed_on(b"x" * 20_000)
    assert [len(message) for message in messages(written)] == [8_192, 11_808]


async def test_lines_are_passed_on_while_the_replica_lives(written: list[str]) -> None:
    worker = Worker()
    worker.print(b"one\nha")
    await eventually(lambda: written)
    worker.log.drain()
    assert messages(written) == ["one", "ha"]
    worker.print(b"two\n")
    await eventually(lambda: len(written) == 3)
    worker.close()
    assert messages(written) == ["one", "ha", "two"]


async def test_the_prediction_is_looked_up_once_for_many_lines(written: list[str]) -> None:
    worker = Worker()
    worker.record(*[RECORD] * 3)
    worker.log.drain()
    assert worker.looked_up == 0
    worker.print(b"y\n" * 100)
    worker.close()
    assert len(written) == 103
    assert worker.looked_up == 1


@pytest.fixture
def dropped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counts: list[int] = []
    monkeypatch.setattr(replica_log, "count_dropped", counts.append)
    return counts


async def flood(worker: Worker) -> int:
    """Print until no more is shown; how many lines were printed."""
    printed = 0
    while not worker.clock.pending:
        worker.print(b"y\n" * 256)
        printed += 256
        await asyncio.sleep(0)
    return printed


async def test_what_is_more_than_the_budget_is_left_out(written: list[str], dropped: list[int]) -> None:
    worker = Worker()
    printed = await flood(worker)
    assert 20_000 <= printed < 21_000
    for _ in range(45):
        worker.print(b"y\n" * 30_000)
        worker.clock.advance(0.02)
    worker.clock.advance(0.2)
    assert messages(written).count("y") + sum(dropped) == printed + 1_350_000
    assert messages(written)[-1] == f"… {sum(dropped):,} lines left out"
    worker.print(b"shown again\n")
    await eventually(lambda: "shown again" in written[-1])
    worker.close()


async def test_a_flood_of_text_hides_no_record(written: list[str], dropped: list[int]) -> None:
    worker = Worker()
    await flood(worker)
    for _ in range(45):
        worker.print(b"y\n" * 25_000)
        worker.record(RECORD)
        worker.clock.advance(0.02)
    worker.close()
    assert written.count(RECORD) == 45
    assert sum(dropped) > 1_000_000


async def test_a_flood_of_records_is_cut_too(written: list[str], dropped: list[int]) -> None:
    worker = Worker()
    for _ in range(25_000):
        worker.record(RECORD)
        worker.log.drain()
    worker.print(b"a text\n")
    worker.close()
    assert 20_000 <= written.count(RECORD) < 20_100
    assert written.count(RECORD) + sum(dropped) == 25_000
    assert messages(written[-2:]) == ["a text", f"… {sum(dropped):,} lines left out"]


async def test_a_flood_before_an_attempt_ends_is_reported_soon(written: list[str], dropped: list[int]) -> None:
    worker = Worker()
    for _ in range(2):
        worker.print(b"y\n" * 30_000)
        worker.log.drain()
    worker.clock.advance(1.5)
    assert messages(written)[-1] == f"… {sum(dropped):,} lines left out"
    worker.close()


async def test_the_end_reports_what_was_left_out(written: list[str], dropped: list[int]) -> None:
    worker = Worker()
    printed = await flood(worker)
    worker.print(b"y\n" * 1_000)
    worker.close()
    assert worker.clock.pending == 0
    assert messages(written).count("y") + sum(dropped) == printed + 1_000
    assert "lines left out" in written[-1]
