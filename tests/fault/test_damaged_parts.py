"""One damaged page, row or WAL of the data file costs what stands in it, and nothing else."""

import asyncio
import logging
import os
import shutil
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.contract.phrases import LOST, MODEL, SUCCEEDED, message, receive_one, settle_one, submit_many, submit_one
from tests.fault.engine_child import engine_in
from tests.sqlite_pages import damage, leaves, pages_with
from tests.unit.engines.embedded.opened import shell
from zypher.engines.contract import Engine, Settlement
from zypher.errors import EngineError, EngineUnavailable
from zypher.model_card import ModelCard
from zypher.prediction import FailureKind, Lane, Options, Prediction, Status
from zypher.queue_state import WorkerState

ENDS_S = 20.0


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Engine]:
    engine = engine_in(folder)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


def ending(prediction: Prediction | None) -> str:
    """How a prediction ended, or that it has not."""
    if prediction is None:
        return "unknown"
    if prediction.outcome is None:
        return "open"
    failure = prediction.outcome.failure
    return "succeeded" if failure is None else failure.kind


async def run_all(engine: Engine, ids: list[str]) -> list[str]:
    """Receive and settle until each of these has ended; how they did."""
    async with asyncio.timeout(ENDS_S):
        while True:
            deliveries = await engine.receive(MODEL, 50, 0.05)
            await engine.begin(deliveries)
            await engine.settle([Settlement(delivery, SUCCEEDED) for delivery in deliveries])
            if not deliveries:
                found = [ending(await engine.get(each)) for each in ids]
                if "open" not in found:
                    return found


async def submit_at_once(engine: Engine, number: int) -> list[str]:
    """The ids of so many predictions, about in order."""
    return [each for ids in await asyncio.gather(*(submit_many(engine, 1) for _ in range(number))) for each in ids]


async def settle_all(engine: Engine, number: int) -> None:
    for _ in range(number):
        await settle_one(engine, await receive_one(engine), SUCCEEDED)


async def test_a_damaged_overflow_page_costs_one_prediction(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with opened(tmp_path) as engine:
        inputs = [f'"{number:04d}{chr(97 + number) * 20_000}"'.encode() for number in range(12)]
        ids = [(await submit_one(engine, message(input), durable=True)).prediction_id for input in inputs]
    file = tmp_path / "zypher.db"
    damage(file, pages_with(file, b"ffff" * 900)[1])
    with caplog.at_level(logging.ERROR):
        async with opened(tmp_path) as engine:
            endings = await run_all(engine, ids)
    assert endings == ["succeeded"] * 5 + [FailureKind.DATA_LOST] + ["succeeded"] * 6
    damaged = [line for line in caplog.records if "damaged" in line.message]
    assert damaged[0].__dict__["file"] == str(file)
    assert "backup" in str(damaged[0].__dict__["remedy"])


@pytest.mark.parametrize("table", ["predictions", "waiting"])
async def test_a_damaged_leaf_costs_the_waiting_rows_in_it(tmp_path: Path, table: str) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_at_once(engine, 1000)
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, table)[1])
    async with opened(tmp_path) as engine:
        endings = Counter(await run_all(engine, ids))
        (more,) = await submit_many(engine, 1)
        assert await run_all(engine, [more]) == ["succeeded"]
    assert set(endings) == {"succeeded", FailureKind.DATA_LOST}
    assert 1 <= endings[FailureKind.DATA_LOST] <= 500
    async with opened(tmp_path) as engine:  # what is stored is the same afterwards
        assert Counter(await run_all(engine, ids)) == endings


@pytest.mark.parametrize("table", ["predictions", "outcomes"])
async def test_a_damaged_leaf_costs_the_results_in_it(tmp_path: Path, table: str) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_at_once(engine, 600)
        await run_all(engine, ids)
        waiting = await submit_many(engine, 3)
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, table)[1])
    async with opened(tmp_path) as engine:
        async with asyncio.timeout(ENDS_S):
            endings = Counter(ending(each) for each in await asyncio.gather(*map(engine.get, ids)))
        assert set(endings) == {"succeeded", FailureKind.DATA_LOST}
        assert 1 <= endings[FailureKind.DATA_LOST] <= 300
        assert await run_all(engine, waiting) == ["succeeded"] * 3
        assert await engine.get("0" * 26) is None


async def test_predictions_run_on_beside_a_page_that_is_damaged_later(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_at_once(engine, 1000)
    file = tmp_path / "zypher.db"
    async with opened(tmp_path) as engine:
        damage(file, leaves(file, "waiting")[1])
        damage(file, leaves(file, "predictions")[3])
        endings = Counter(await run_all(engine, ids))
        assert set(endings) <= {"succeeded", FailureKind.DATA_LOST}
        assert endings["succeeded"] >= 900
        (more,) = await submit_many(engine, 1)
        assert await run_all(engine, [more]) == ["succeeded"]


_NO_ZONE = """options = '{"deadline":"2026-01-01T00:00:00"}'"""


@pytest.mark.parametrize("cell", ["submitted_at = 'never'", "prediction_id = x'ff00'", "model = x'ff'", _NO_ZONE])
async def test_an_invalid_cell_costs_its_row_at_the_start(tmp_path: Path, cell: str) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 3)
    with shell(tmp_path) as connection:
        connection.execute(f"UPDATE predictions SET {cell} WHERE number = 2")
    async with opened(tmp_path) as engine:
        first, second, third = await run_all(engine, ids)
        assert (first, third) == ("succeeded", "succeeded")
        assert second in {FailureKind.DATA_LOST, "unknown"}


async def test_an_invalid_count_of_attempts_costs_its_row(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 3)
    with shell(tmp_path) as connection:
        connection.execute("UPDATE waiting SET attempt = 'many' WHERE number = 2")
    async with opened(tmp_path) as engine:
        assert await run_all(engine, ids) == ["succeeded", FailureKind.DATA_LOST, "succeeded"]


async def test_the_key_of_a_damaged_row_gets_its_end(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        first = await submit_one(engine, message(b"1"), durable=True, idempotency_key="key")
        await submit_at_once(engine, 300)
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, "predictions")[0])
    async with opened(tmp_path) as engine:
        again, other = await asyncio.gather(
            submit_one(engine, message(b"1"), durable=True, idempotency_key="key"),
            submit_one(engine, message(), durable=True),
        )
        assert (again.prediction_id, ending(again)) == (first.prediction_id, FailureKind.DATA_LOST)
        assert await run_all(engine, [other.prediction_id]) == ["succeeded"]


async def test_an_outcome_whose_place_is_damaged_is_stored_elsewhere(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_at_once(engine, 300)
        await run_all(engine, ids)
    with shell(tmp_path) as connection:  # as if one ran all the time
        connection.execute("INSERT INTO waiting (number, attempt) VALUES (100, 0)")
        connection.execute("DELETE FROM outcomes WHERE number = 100")
        (held,) = connection.execute("SELECT prediction_id FROM predictions WHERE number = 100").fetchone()
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, "outcomes")[1])
    for _ in range(2):
        async with opened(tmp_path) as engine:
            assert await run_all(engine, [held]) == ["succeeded"]
            assert Counter(await run_all(engine, ids))["succeeded"] > 200
            assert (await engine.queues(MODEL))[MODEL].problem is None
            assert await engine.receive(MODEL, 1, 0) == []


async def test_an_outcome_that_is_stored_elsewhere_has_its_notice(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_at_once(engine, 99)
        held = await submit_one(engine, message(options=Options(notify=True)), durable=True)
        ids += [held.prediction_id, *await submit_at_once(engine, 200)]
        await run_all(engine, ids)
        (notice,) = await engine.receive(MODEL, 1, 0, (Lane.WEBHOOKS,))
        await settle_one(engine, notice, SUCCEEDED)
    with shell(tmp_path) as connection:  # as if it ran all the time
        connection.execute("INSERT INTO waiting (number, attempt) VALUES (100, 0)")
        connection.execute("DELETE FROM outcomes WHERE number = 100")
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, "outcomes")[1])
    async with opened(tmp_path) as engine:
        assert await run_all(engine, [held.prediction_id]) == ["succeeded"]
    async with opened(tmp_path) as engine:
        (notice,) = await engine.receive(MODEL, 1, ENDS_S, (Lane.WEBHOOKS,))
        assert notice.message.input == f'"{held.prediction_id}"'.encode()


async def test_an_invalid_result_hides_no_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 3)
        await settle_all(engine, 3)
    with shell(tmp_path) as connection:
        connection.execute("UPDATE outcomes SET status = 'strange' WHERE number = 2")
        connection.execute("DELETE FROM outcomes WHERE number = 3")
    async with opened(tmp_path) as engine:
        found = [ending(each) for each in await asyncio.gather(*map(engine.get, ids))]
        assert found == ["succeeded", FailureKind.DATA_LOST, FailureKind.DATA_LOST]


@pytest.mark.parametrize("cell", ["options = '{\"lane\": 7}'", "submitted_at = 'x'", "options = x'ff'"])
async def test_an_invalid_row_hides_no_other_of_a_list(tmp_path: Path, cell: str) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 6)
        await settle_all(engine, 2)
        with shell(tmp_path) as connection:
            connection.execute(f"UPDATE predictions SET {cell} WHERE prediction_id IN (?, ?)", (ids[0], ids[3]))
        found: list[str] = []
        for status in (None, Status.QUEUED, Status.SUCCEEDED):
            page = await engine.page(MODEL, status=status, limit=2)
            found += [each.prediction_id for each in page.predictions]
            while page.after is not None:
                page = await engine.page(MODEL, status=status, limit=2, after=page.after)
                found += [each.prediction_id for each in page.predictions]
        readable = [ids.index(each) for each in found if each not in {ids[0], ids[3]}]
        assert readable == [5, 4, 2, 1, 5, 4, 2, 1]


async def test_a_damaged_index_of_dead_letters_stops_no_start(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 2)
        await settle_one(engine, await receive_one(engine), LOST)
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, "outcomes_dead")[0])
    async with opened(tmp_path) as engine:
        assert await engine.dead(MODEL, 10) == []
        assert ending(await engine.get(ids[0])) == FailureKind.WORKER_LOST


@pytest.mark.parametrize(("damaged", "kept"), [("models", "paused"), ("paused", "models")])
async def test_a_damaged_table_of_models_stops_no_start(tmp_path: Path, damaged: str, kept: str) -> None:
    async with opened(tmp_path) as engine:
        await engine.announce(WorkerState("w", MODEL, ModelCard(MODEL, "", {}, {}, {}, 1), 1, 1, 1))
        await engine.pause(MODEL, paused=True)
        ids = await submit_many(engine, 1)
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, damaged)[0])
    async with opened(tmp_path) as engine:
        queue = (await engine.queues(MODEL))[MODEL]
        assert (queue.card is not None, queue.paused) == (kept == "models", kept == "paused")
        assert ending(await engine.get(ids[0])) == "open"


async def test_a_file_without_room_for_new_rows_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        await submit_many(engine, 10)
    file = tmp_path / "zypher.db"
    damage(file, leaves(file, "waiting")[-1])
    with pytest.raises(EngineError, match=r"zypher\.db is damaged .*restore it from a backup"):
        await engine_in(tmp_path).open()


async def test_a_removed_wal_is_reported_and_loses_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 20)
        (tmp_path / "zypher.db-wal").unlink()
        with pytest.raises(EngineUnavailable, match=r"removed or replaced .* start the server again"):
            await submit_many(engine, 1)
        assert "start the server again" in ((await engine.queues(MODEL))[MODEL].problem or "")
        left = tmp_path / "left"  # by a crash
        left.mkdir(mode=0o700)
        shutil.copyfile(tmp_path / "zypher.db", left / "zypher.db")
    async with opened(left) as engine:
        assert await run_all(engine, ids) == ["succeeded"] * 20


@pytest.mark.parametrize("left_bytes", [0, 32, 20_000])
async def test_a_cut_wal_is_reported_and_costs_what_it_held(tmp_path: Path, left_bytes: int) -> None:
    async with opened(tmp_path) as engine:
        before = await submit_many(engine, 20)
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 20)
        os.truncate(tmp_path / "zypher.db-wal", left_bytes)
        with pytest.raises(EngineUnavailable, match=r"zypher\.db-wal in .* was cut .* start the server again"):
            await submit_many(engine, 1)
        assert "was cut" in ((await engine.queues(MODEL))[MODEL].problem or "")
        transient = await submit_one(engine, message(model="other"), durable=False)
        assert (await receive_one(engine, "other")).message.prediction_id == transient.prediction_id
    async with opened(tmp_path) as engine:
        assert await run_all(engine, before) == ["succeeded"] * 20
        assert set(await run_all(engine, ids)) <= {"succeeded", "unknown"}


async def test_a_wal_emptied_by_another_program_is_whole(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        ids = await submit_many(engine, 20)
        with shell(tmp_path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        ids += await submit_many(engine, 1)
        assert await run_all(engine, ids) == ["succeeded"] * 21
