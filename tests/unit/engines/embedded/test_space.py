"""How many bytes the data may take up on disk, what goes first, and what is given back."""

import asyncio
import os
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.contract.phrases import (
    LOST,
    MODEL,
    SUCCEEDED,
    depth,
    message,
    receive_one,
    settle_one,
    status,
    submit_many,
    submit_one,
)
from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.embedded.opened import RETENTION_S, count, opened, shell
from tests.unit.engines.embedded.test_disk import written_at
from zypher.engines.contract import Engine
from zypher.engines.embedded.disk.database import open_writer
from zypher.engines.embedded.disk.shrinking import Shrinking
from zypher.engines.embedded.disk.space import Space, default_limit_bytes
from zypher.engines.embedded.journal import Accept, Row
from zypher.engines.embedded.size_limit import SizeLimit
from zypher.errors import DataFull
from zypher.prediction import Outcome, Status

MIB = 1_048_576
LIMIT_BYTES = 8 * MIB
HALF = b'"' + b"x" * (MIB // 2) + b'"'
GIB = 1024 * MIB


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def fill(engine: Engine) -> list[str]:
    """Submit until there is no room, then run all; returns their ids in order."""
    ids: list[str] = []
    try:
        while len(ids) < 100:
            ids.append((await submit_one(engine, message(HALF), durable=True)).prediction_id)
    except DataFull:
        await end(engine, len(ids))
        return ids
    raise AssertionError("there is always room")


async def end(engine: Engine, number: int, outcome: Outcome = SUCCEEDED) -> None:
    for _ in range(number):
        assert await settle_one(engine, await receive_one(engine), outcome)


async def read(engine: Engine, *prediction_ids: str) -> None:
    for prediction_id in prediction_ids:
        assert await status(engine, prediction_id) is Status.SUCCEEDED
        await engine.read(prediction_id)


async def submit(engine: Engine, input: bytes = HALF) -> str:
    return (await submit_one(engine, message(input), durable=True)).prediction_id


async def submit_without_end(engine: Engine) -> None:
    for _ in range(100):
        await submit(engine)


def kept(folder: Path) -> list[str]:
    """The ids of what is on disk, in order of acceptance."""
    with shell(folder) as connection:
        return [str(row[0]) for row in connection.execute("SELECT prediction_id FROM predictions ORDER BY number")]


def disk_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


async def test_unread_results_are_kept(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        ids = await fill(engine)
        for _ in range(3):
            with pytest.raises(DataFull, match="once results were read"):
                await submit(engine)
        assert kept(tmp_path) == ids
        clock.advance(RETENTION_S - 1)
        for prediction_id in ids:
            assert await status(engine, prediction_id) is Status.SUCCEEDED


async def test_results_that_were_read_go_first_the_oldest_first(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        ids = await fill(engine)
        await read(engine, ids[5], ids[2], ids[7])
        for gone in (ids[2], ids[5], ids[7]):
            ids.remove(gone)
            ids.append(await submit(engine))
            assert kept(tmp_path) == ids
        with pytest.raises(DataFull):
            await submit(engine)


async def test_of_two_the_result_goes_first_that_ended_first(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        first, second = await submit_many(engine, 1), await submit_many(engine, 1)
        deliveries = await engine.receive(MODEL, 2, 0)
        for delivery in reversed(deliveries):
            await settle_one(engine, delivery, Outcome(Status.SUCCEEDED, output=HALF))
            clock.advance(1)
        ids = await fill(engine)
        await read(engine, *first, *second)
        await submit(engine)
        assert kept(tmp_path)[0] == first[0]
        assert len(kept(tmp_path)) == len(ids) + 2


async def test_what_was_read_is_known_after_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        ids = await fill(engine)
        await read(engine, ids[3])
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        await submit(engine)
        assert ids[3] not in kept(tmp_path)
        with pytest.raises(DataFull):
            await submit(engine)


async def test_dead_letters_stay_though_they_were_read(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        dead = await submit(engine)
        await end(engine, 1, LOST)
        await fill(engine)
        await engine.read(dead)
        with pytest.raises(DataFull):
            await submit(engine)
        assert await engine.replay(dead)
        assert (await receive_one(engine)).message.input == HALF


async def test_what_is_unknown_or_has_not_ended_is_not_read(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        waiting = await submit(engine)
        await engine.read(waiting)
        await engine.read("unknown \ud800")
        with pytest.raises(DataFull):
            await submit_without_end(engine)
        assert (await receive_one(engine)).message.prediction_id == waiting


async def test_reading_a_result_writes_nothing_by_itself(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending == 1)  # the first purge is done
        ids = await submit_many(engine, 100)
        await end(engine, 100)
        before = written_at(tmp_path)
        for _ in range(3):
            await read(engine, *ids)
        assert written_at(tmp_path) == before
        clock.advance(60)  # what is written with the next purge
        await eventually(lambda: count(tmp_path, "read_results") == 100)
        await eventually(lambda: clock.pending == 1)
        clock.advance(RETENTION_S)
        await eventually(lambda: count(tmp_path, "predictions") == count(tmp_path, "read_results") == 0)


async def test_the_folder_never_holds_more_than_it_may(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        for _ in range(5):
            for prediction_id in await fill(engine):
                await read(engine, prediction_id)
            # The log in front of the file may be longer for a moment, until nothing waits for the disk.
            await eventually(lambda: disk_bytes(tmp_path) <= LIMIT_BYTES)


async def test_an_outcome_without_room_waits_until_results_are_read(tmp_path: Path, clock: FakeClock) -> None:
    large = Outcome(Status.SUCCEEDED, output=HALF)
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        small = await submit_many(engine, 20)
        deliveries = [await receive_one(engine) for _ in small]
        settles = [asyncio.ensure_future(settle_one(engine, delivery, large)) for delivery in deliveries]
        await eventually(lambda: sum(settle.done() for settle in settles) >= 13)
        while (problem := (await engine.queues(MODEL))[MODEL].problem) is None:
            await asyncio.sleep(0)
        assert "outcomes wait for room; read results" in problem
        assert (await submit_one(engine, message(), durable=False)).status is Status.QUEUED
        while not all(settle.done() for settle in settles):
            stored = [each for each, settle in zip(small, settles, strict=True) if settle.done()]
            await read(engine, *stored[-3:])
            clock.advance(1)
            unsettled = [settle for settle in settles if not settle.done()]
            await asyncio.wait(unsettled, timeout=0.05, return_when=asyncio.FIRST_COMPLETED)
        assert all(settle.result() for settle in settles)
        await read(engine, *small[-5:])
        await submit_many(engine, 1)
        assert (await engine.queues(MODEL))[MODEL].problem is None


async def test_the_file_shrinks_when_its_content_is_gone(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        await fill(engine)
        await eventually(lambda: (tmp_path / "zypher.db").stat().st_size > 5 * MIB)
        clock.advance(RETENTION_S + 61)
        await eventually(lambda: disk_bytes(tmp_path) < MIB)
        await fill(engine)


async def test_what_was_purged_is_no_longer_counted(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        await fill(engine)
        assert (await depth(engine)).data_bytes > 6 * MIB
        clock.advance(RETENTION_S + 61)
        await eventually(lambda: count(tmp_path, "predictions") == 0)
        await eventually(lambda: clock.pending == 1)
        clock.advance(61)  # to the next purge, though nothing else is written
        await eventually(lambda: clock.pending == 1)
        assert (await depth(engine)).data_bytes < MIB


def test_what_was_accepted_is_counted_beside_a_purge(tmp_path: Path) -> None:
    with closing(open_writer(tmp_path / "zypher.db", FakeClock().now())) as connection:
        space = Space(connection, SizeLimit(LIMIT_BYTES))
        before = space.used_bytes
        assert space.take_inputs([Accept([Row(1, message(HALF))], 0, print)]) == [True]
        space.note_freed()
        assert space.used_bytes > before + len(HALF)
        space.forget()  # the transaction was undone
        assert space.used_bytes == before


def test_shrinking_goes_on_below_where_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "zypher.db"
    with closing(open_writer(file, FakeClock().now())) as connection:
        shrinking = Shrinking(connection, file, 64 * MIB)
        connection.executemany("INSERT INTO probe VALUES (?, zeroblob(?))", [(2, 8 * MIB), (3, 8 * MIB)])
        connection.execute("DELETE FROM probe WHERE number = 2")
        shrinking.note_freed()
        while shrinking.step():
            pass
        pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
    assert 0 < free <= pages // 16


async def test_a_small_file_of_an_earlier_version_learns_to_shrink(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        ids = await fill(engine)
    with shell(tmp_path) as connection:
        connection.executescript(
            "PRAGMA auto_vacuum = NONE; VACUUM; DROP TABLE read_results; DROP TABLE models; DROP TABLE events; "
            "DROP TABLE paused; DROP TABLE engine_clock; DROP INDEX outcomes_unusual; "
            "ALTER TABLE outcomes DROP COLUMN finished_at; ALTER TABLE outcomes RENAME COLUMN ended TO finished_at; "
            "ALTER TABLE waiting DROP COLUMN stop_asked; "
            "ALTER TABLE predictions DROP COLUMN revision; ALTER TABLE predictions DROP COLUMN options; "
            "PRAGMA user_version = 2"
        )
    async with opened(tmp_path, clock, limit_bytes=LIMIT_BYTES) as engine:
        await read(engine, *ids)
        await eventually(lambda: clock.pending == 1)  # the first purge found nothing
        clock.advance(RETENTION_S + 61)
        await eventually(lambda: disk_bytes(tmp_path) < MIB)


async def test_a_large_file_of_an_earlier_version_is_kept(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with opened(tmp_path, clock):
        pass
    with shell(tmp_path) as connection:
        connection.executescript("PRAGMA auto_vacuum = NONE; VACUUM; INSERT INTO probe VALUES (2, zeroblob(67200000))")
    async with opened(tmp_path, clock) as engine:
        await submit_many(engine, 1)
    assert "never shrinks" in caplog.text
    with shell(tmp_path) as connection:
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (0,)


def set_free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    def statvfs(_: Path) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=free_bytes // 4096, f_frsize=4096)

    monkeypatch.setattr(os, "statvfs", statvfs)


@pytest.mark.parametrize(
    ("free_bytes", "limit_bytes"), [(100 * GIB, 10 * GIB), (20 * GIB, 10 * GIB), (4 * GIB, 2 * GIB), (0, 64 * MIB)]
)
def test_the_limit_is_half_of_what_is_free_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int, limit_bytes: int
) -> None:
    set_free(monkeypatch, free_bytes)
    assert default_limit_bytes(tmp_path) == limit_bytes


def test_what_the_folder_holds_counts_as_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_free(monkeypatch, 200 * MIB)
    before = default_limit_bytes(tmp_path)
    (tmp_path / "zypher.db").write_bytes(b"x" * MIB)
    assert default_limit_bytes(tmp_path) == before + MIB // 2
