"""What is on disk, when, and what is said of a file that cannot be used."""

import asyncio
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.contract.phrases import (
    LOST,
    MODEL,
    SUCCEEDED,
    get,
    message,
    receive_ids,
    receive_one,
    settle_one,
    status,
    submit_many,
    submit_one,
)
from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.embedded.opened import LEASE_S, RETENTION_S, count, opened, shell
from zypher.engines.contract import Settlement
from zypher.engines.embedded.disk.database import open_writer
from zypher.engines.embedded.disk.journal import DiskJournal
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.errors import EngineError
from zypher.model_card import ModelCard
from zypher.prediction import Cancellation, Event, EventKind, FailureKind, Options, Outcome, Status
from zypher.queue_state import WorkerState


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def refusal(folder: Path, clock: FakeClock) -> str:
    engine = EmbeddedEngine(DiskJournal(folder, clock), clock, queue_limit=1, retention_s=1, lease_s=1)
    with pytest.raises(EngineError) as refused:
        await engine.open()
    await engine.close()
    return str(refused.value)


def written_at(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


async def test_a_transient_prediction_never_touches_the_disk(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending == 1)  # the first purge is done
        before = written_at(tmp_path)
        ids = await submit_many(engine, 5, durable=False)
        await engine.cancel(ids[4])
        await engine.release(await receive_one(engine), counted=False)
        for delivery in await engine.receive(MODEL, 5, 0):
            await settle_one(engine, delivery, SUCCEEDED)
        assert written_at(tmp_path) == before
    assert count(tmp_path, "predictions") == count(tmp_path, "outcomes") == 0


async def test_an_attempt_that_began_is_on_disk(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await submit_many(engine, 1)
        delivery = await receive_one(engine)
        with shell(tmp_path) as connection:
            query = "SELECT attempt FROM waiting WHERE started_at IS NOT NULL"
            assert connection.execute(query).fetchall() == []
            await engine.begin([delivery])
            assert connection.execute(query).fetchall() == [(1,)]


async def test_an_idle_engine_is_woken_for_its_purge_only(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending == 1)
        await submit_many(engine, 1)
        await settle_one(engine, await receive_one(engine), SUCCEEDED)
        clock.advance(LEASE_S)
        await eventually(lambda: clock.pending == 1)


async def test_what_is_past_its_retention_is_deleted_in_bites(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await eventually(lambda: clock.pending == 1)  # the first purge found nothing
        sent = [message() for _ in range(1200)]
        await asyncio.gather(
            *(submit_one(engine, one, durable=True, idempotency_key=one.prediction_id) for one in sent)
        )
        deliveries = await engine.receive(MODEL, 1100, 0)
        while len(deliveries) < 1100:
            deliveries += await engine.receive(MODEL, 1100 - len(deliveries), 0)
        await asyncio.gather(*(settle_one(engine, delivery, SUCCEEDED) for delivery in deliveries))
        clock.advance(RETENTION_S - 61)
        await eventually(lambda: clock.pending == 1)  # it looked, and sleeps again
        assert count(tmp_path, "outcomes") == 1100
        clock.advance(121)
        await eventually(lambda: count(tmp_path, "outcomes") == 600)
        for left in (100, 0):
            await eventually(lambda: clock.pending >= 1)
            clock.advance(0.1)
            await eventually(lambda left=left: count(tmp_path, "outcomes") == left)
        assert count(tmp_path, "predictions") == 100
        assert await status(engine, sent[1150].prediction_id) is Status.QUEUED


async def test_noise_instead_of_data_is_left_as_it_is(tmp_path: Path, clock: FakeClock) -> None:
    noise = b"this is not a database" * 1000
    (tmp_path / "zypher.db").write_bytes(noise)
    assert "is damaged" in await refusal(tmp_path, clock)
    assert (tmp_path / "zypher.db").read_bytes() == noise


async def test_a_damaged_page_is_noticed_at_the_start(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        await submit_many(engine, 500)
    data = bytearray((tmp_path / "zypher.db").read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    (tmp_path / "zypher.db").write_bytes(data)
    assert "is damaged" in await refusal(tmp_path, clock)


async def test_a_newer_schema_is_not_touched(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock):
        pass
    with shell(tmp_path) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "newer version of zypher (schema 99" in await refusal(tmp_path, clock)


async def test_a_file_of_the_version_before_is_taken_over(tmp_path: Path, clock: FakeClock) -> None:
    with shell(tmp_path) as connection:
        connection.executescript((Path(__file__).parent / "version_4.sql").read_text(encoding="utf-8"))
    revision = Options(revision="0123456789ab")
    async with opened(tmp_path, clock) as engine:
        queues = await engine.queues()
        assert [(model, queue.queued, queue.dead) for model, queue in queues.items()] == [
            (MODEL, 3, 1),
            ("other model", 1, 0),
        ]
        assert queues[MODEL].card is not None
        succeeded = await get(engine, "succeeded")
        assert (succeeded.outcome, succeeded.options) == (
            Outcome(Status.SUCCEEDED, b'{"result": "1"}', run_s=0.5),
            revision,
        )
        ended = [(await get(engine, each)).status for each in ("failed", "cancelled", "dead")]
        assert ended == [Status.FAILED, Status.CANCELLED, Status.FAILED]
        again = message(b"1")
        assert (await submit_one(engine, again, durable=True, idempotency_key="key-of-succeeded")).prediction_id == (
            "succeeded"
        )
        assert await engine.replay("dead")
        deliveries = await engine.receive(MODEL, 10, 0)
        assert [(each.message.prediction_id, each.attempt, each.message.options) for each in deliveries] == [
            ("running", 2, revision),
            ("delayed", 2, Options()),
            ("queued", 1, revision),
            ("dead", 1, revision),
        ]
        assert await engine.publish(deliveries[0], [Event(EventKind.PROGRESS, b"0.5")])
        assert await engine.cancel("running") is Cancellation.ASKED
        listed = [each.prediction_id for each in (await engine.page(MODEL)).predictions]
        assert listed == ["queued", "delayed", "running", "cancelled", "dead", "failed", "succeeded"]
        assert await settle_one(engine, deliveries[1], SUCCEEDED)
    async with opened(tmp_path, clock) as engine:
        assert (await get(engine, "delayed")).outcome == SUCCEEDED


async def test_a_card_that_cannot_be_read_harms_nothing_else(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    card = ModelCard("other", "", {}, {}, {}, 1)
    async with opened(tmp_path, clock) as engine:
        for model in (MODEL, "other"):
            await engine.announce(WorkerState(f"of {model}", model, replace(card, name=model), 1, 1, 1))
        ids = await submit_many(engine, 1)
    with shell(tmp_path) as connection:
        connection.execute("UPDATE models SET card = x'c1' WHERE model = ?", (MODEL,))
    async with opened(tmp_path, clock) as engine:
        queues = await engine.queues()
        assert (queues[MODEL].card, queues["other"].card) == (None, card)
        assert "a model's card cannot be read" in caplog.text
        await engine.announce(WorkerState("again", MODEL, replace(card, name=MODEL), 1, 1, 1))
        assert await receive_ids(engine) == ids
    async with opened(tmp_path, clock) as engine:
        assert (await engine.queues(MODEL))[MODEL].card == replace(card, name=MODEL)


async def test_an_invalid_dead_letter_hides_no_other(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await submit_many(engine, 3)
        for _ in ids:
            await settle_one(engine, await receive_one(engine), LOST)
    with shell(tmp_path) as connection:
        connection.execute("UPDATE predictions SET submitted_at = 'never' WHERE prediction_id = ?", ids[1:2])
    async with opened(tmp_path, clock) as engine:
        assert [each.prediction_id for each in await engine.dead(MODEL, 10)] == [ids[0], ids[2]]


async def test_a_second_engine_in_the_folder_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock):
        assert "in use by another server" in await refusal(tmp_path, clock)
    async with opened(tmp_path, clock):
        pass


async def test_a_prediction_whose_input_is_gone_from_the_disk_fails(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await submit_many(engine, 3)
    async with opened(tmp_path, clock) as engine:
        with shell(tmp_path) as connection:
            connection.execute("DELETE FROM predictions WHERE number < 3")
        assert await receive_ids(engine) == [ids[2]]
        for prediction_id in ids[:2]:
            lost = await engine.get(prediction_id, None)
            assert lost is not None
            assert lost.outcome is not None
            assert lost.outcome.failure is not None
            assert (lost.status, lost.outcome.failure.kind) == (Status.FAILED, FailureKind.DATA_LOST)
            assert "send it again" in lost.outcome.failure.message
        depth = (await engine.queues(MODEL))[MODEL]
        assert (depth.queued, depth.running) == (0, 1)
    assert count(tmp_path, "waiting") == 1


async def test_many_large_inputs_and_outputs_at_once(tmp_path: Path, clock: FakeClock) -> None:
    large = b'"' + b"x" * 200_000 + b'"'
    async with opened(tmp_path, clock) as engine:
        sent = [message(large if number % 2 else b"1") for number in range(60)]
        await asyncio.gather(*(submit_one(engine, one, durable=True) for one in sent))
        deliveries = [await receive_one(engine) for _ in sent]
        assert [delivery.message for delivery in deliveries] == sent
        outcomes = [Outcome(Status.SUCCEEDED, output=delivery.message.input) for delivery in deliveries]
        await engine.settle([Settlement(*each) for each in zip(deliveries, outcomes, strict=True)])
    async with opened(tmp_path, clock) as engine:
        found = await asyncio.gather(*(engine.get(one.prediction_id) for one in sent))
    assert [prediction and prediction.outcome for prediction in found] == outcomes


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "zypher.db", FakeClock().now())
    try:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        connection.close()


async def test_the_input_of_a_running_prediction_is_on_disk_only(tmp_path: Path, clock: FakeClock) -> None:
    input = b'"' + b"x" * 1_000 + b'"'
    held_here = sys.getrefcount(input)
    async with opened(tmp_path, clock) as engine:
        await submit_one(engine, message(input), durable=True)
        delivery = await receive_one(engine)
        assert delivery.message.input == input
        del delivery
        await eventually(lambda: sys.getrefcount(input) == held_here)
