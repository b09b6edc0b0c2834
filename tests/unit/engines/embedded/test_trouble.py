"""An engine whose disk does not store for a while."""

import asyncio
from contextlib import nullcontext
from functools import partial
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
    turns,
)
from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.embedded.opened import count, opened, shell, unwritable
from zypher.engines.contract import Engine
from zypher.engines.embedded.disk.database import open_writer
from zypher.engines.embedded.disk.space import Space
from zypher.engines.embedded.disk.writer import Writer
from zypher.engines.embedded.engine_clock import Moment
from zypher.engines.embedded.journal import End, Mark, resolve
from zypher.engines.embedded.size_limit import MIB, SizeLimit
from zypher.errors import EngineUnavailable
from zypher.model_card import ModelCard
from zypher.prediction import Cancellation, Event, EventKind, Status
from zypher.queue_state import WorkerState


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def problem(engine: Engine) -> str | None:
    return (await engine.queues(MODEL))[MODEL].problem


async def recover(engine: Engine, clock: FakeClock) -> None:
    """Let time pass until the engine has noticed that it can store again."""
    while await problem(engine) is not None:
        clock.advance(1)
        await turns()


async def test_new_durable_work_is_refused_and_transient_work_goes_on(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        with unwritable(tmp_path):
            with pytest.raises(EngineUnavailable, match=f"cannot be stored in {tmp_path}"):
                await submit_one(engine, message(), durable=True)
            assert str(tmp_path) in (await problem(engine) or "")
            with pytest.raises(EngineUnavailable):
                await submit_one(engine, message(), durable=True)
            assert (await engine.queues(MODEL))[MODEL].queued == 0
            (transient,) = await submit_many(engine, 1, durable=False)
            assert await receive_ids(engine) == [transient]
        await recover(engine, clock)
        assert (await submit_one(engine, message(), durable=True)).status is Status.QUEUED


async def test_it_recovers_without_traffic(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        with unwritable(tmp_path):
            with pytest.raises(EngineUnavailable):
                await submit_one(engine, message(), durable=True)
            for _ in range(3):
                before = clock.pending
                clock.advance(1)
                await eventually(lambda before=before: clock.pending >= before)
            assert await problem(engine) is not None
        await recover(engine, clock)


async def test_an_outcome_is_held_until_it_can_be_stored(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        (prediction_id,) = await submit_many(engine, 1)
        delivery = await receive_one(engine)
        await engine.begin([delivery])
        await engine.cancel((await submit_many(engine, 1))[0])  # the mark of the attempt is written, too
        with unwritable(tmp_path):
            settle = asyncio.create_task(settle_one(engine, delivery, SUCCEEDED))
            while await problem(engine) is None:
                await turns()
            clock.advance(100)  # its lease cannot end any more
            await turns()
            assert await status(engine, prediction_id) is Status.RUNNING
            assert not await settle_one(engine, delivery, SUCCEEDED)
        await recover(engine, clock)
        assert await settle
        assert (await get(engine, prediction_id)).outcome == SUCCEEDED
    assert count(tmp_path, "outcomes") == 2
    assert count(tmp_path, "waiting") == 0


async def test_an_unsettled_outcome_at_close_means_another_attempt(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        (prediction_id,) = await submit_many(engine, 1)
        delivery = await receive_one(engine)
        await engine.begin([delivery])
        await engine.cancel((await submit_many(engine, 1))[0])
        with unwritable(tmp_path):
            settle = asyncio.create_task(settle_one(engine, delivery, SUCCEEDED))
            while await problem(engine) is None:
                await turns()
            await engine.close()
        with pytest.raises(EngineUnavailable):
            await settle
    async with opened(tmp_path, clock) as engine:
        again = await receive_one(engine)
        assert (again.message.prediction_id, again.attempt) == (prediction_id, 2)


async def test_a_cancel_that_cannot_be_stored_did_not_happen(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await submit_many(engine, 3)
        with unwritable(tmp_path), pytest.raises(EngineUnavailable):
            await engine.cancel(ids[0])
        assert (await get(engine, ids[0])).position == 1
        assert await receive_ids(engine) == ids
        await recover(engine, clock)


async def test_what_cannot_be_made_durable_stays_in_memory(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        queued, running = message(b"1"), message(b"2")
        await submit_one(engine, running, durable=False)
        await submit_one(engine, queued, durable=False)
        delivery = await receive_one(engine)
        with unwritable(tmp_path):
            answers = await asyncio.gather(
                engine.keep(queued),
                engine.keep(running),
                engine.keep(running),
                return_exceptions=True,
            )
        assert [type(answer) for answer in answers] == [EngineUnavailable] * 3
        assert not (await get(engine, queued.prediction_id)).durable
        await engine.release(delivery, counted=True)
        deliveries = await engine.receive(MODEL, 2, 0)
        assert [delivery.message for delivery in deliveries] == [running, queued]
        await recover(engine, clock)
        assert (await engine.keep(queued)).durable
    assert count(tmp_path, "waiting") == 1


@pytest.mark.parametrize("end", ["settle", "cancel"])
async def test_ending_a_prediction_does_not_wait_for_a_refusing_disk(
    tmp_path: Path, clock: FakeClock, end: str
) -> None:
    async with opened(tmp_path, clock) as engine:
        sent = message()
        await submit_one(engine, sent, durable=False)
        delivery = await receive_one(engine) if end == "settle" else None
        with unwritable(tmp_path):
            promotion = asyncio.create_task(engine.keep(sent))
            await turns(1)  # it has begun
            async with asyncio.timeout(10):
                if delivery is not None:
                    assert await settle_one(engine, delivery, SUCCEEDED)
                else:
                    assert await engine.cancel(sent.prediction_id) is Cancellation.ENDED
            with pytest.raises(EngineUnavailable):
                await promotion
            expected = Status.CANCELLED if delivery is None else Status.SUCCEEDED
            assert await status(engine, sent.prediction_id) is expected
        await recover(engine, clock)
    assert count(tmp_path, "outcomes") == 0


async def test_a_prediction_in_memory_is_never_written(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock):
        pass
    connection = open_writer(tmp_path / "zypher.db", clock.now())
    reports: list[str | None] = []
    writer = Writer(connection, tmp_path, Space(connection, SizeLimit(64 * MIB)), reports.append)
    writer.start()
    stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    writer.write(Mark(7, 1, clock.now()))
    writer.write(End(8, 1, clock.now(), Moment(clock.now(), 0), SUCCEEDED, None, partial(resolve, stored)))
    assert await stored is None
    await writer.stop()
    writer.close()
    assert count(tmp_path, "waiting") == count(tmp_path, "outcomes") == 0
    assert reports == []  # nothing was written, so it is unknown whether the disk stores


async def test_a_receiver_gets_the_error_of_a_failed_read(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await submit_many(engine, 1)
    async with opened(tmp_path, clock) as engine:
        with shell(tmp_path) as connection:
            connection.execute("ALTER TABLE predictions RENAME TO predictions_away")
            with pytest.raises(EngineUnavailable, match=f"cannot be read from {tmp_path}"):
                await engine.receive(MODEL, 1, 0)
            connection.execute("ALTER TABLE predictions_away RENAME TO predictions")
        assert await receive_ids(engine) == ids


async def test_an_engine_may_close_before_storing_a_lost_input(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        (prediction_id,) = await submit_many(engine, 1)
    async with opened(tmp_path, clock) as engine:
        with shell(tmp_path) as connection:
            connection.execute("DELETE FROM predictions")
        with unwritable(tmp_path):
            assert await engine.receive(MODEL, 1, 0) == []
            while await problem(engine) is None:
                await turns()
            assert await status(engine, prediction_id) is Status.QUEUED
            await engine.close()


async def test_a_card_that_was_not_stored_is_stored_later(tmp_path: Path, clock: FakeClock) -> None:
    worker = WorkerState("w", MODEL, ModelCard(MODEL, "", {}, {}, {}, 1), 1, 1, 1)
    async with opened(tmp_path, clock) as engine:
        with unwritable(tmp_path):
            await engine.announce(worker)
            await eventually(lambda: clock.pending > 1)  # the write has failed
            assert (await engine.queues(MODEL))[MODEL].card == worker.card
        await recover(engine, clock)
        await engine.announce(worker)
    async with opened(tmp_path, clock) as engine:
        assert (await engine.queues(MODEL))[MODEL].card == worker.card


async def test_a_model_that_cannot_be_forgotten_stays_known(tmp_path: Path, clock: FakeClock) -> None:
    worker = WorkerState("w", MODEL, ModelCard(MODEL, "", {}, {}, {}, 1), 1, 1, 1)
    async with opened(tmp_path, clock) as engine:
        await engine.announce(worker)
        await engine.announce(replace(worker, replicas=0))
        with unwritable(tmp_path):
            for _ in range(2):
                with pytest.raises(EngineUnavailable):
                    await engine.forget(MODEL)
        assert (await engine.queues(MODEL))[MODEL].card == worker.card
        await recover(engine, clock)
        assert await engine.forget(MODEL)


async def test_a_late_keep_that_cannot_be_stored_did_not_happen(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        sent = message()
        await submit_one(engine, sent, durable=False)
        await settle_one(engine, await receive_one(engine), SUCCEEDED)
        with unwritable(tmp_path), pytest.raises(EngineUnavailable):
            await engine.keep(sent)
        assert not (await get(engine, sent.prediction_id)).durable
        await recover(engine, clock)
        assert (await engine.keep(sent)).outcome == SUCCEEDED
    assert count(tmp_path, "waiting") == 0
    assert count(tmp_path, "outcomes") == 1


@pytest.mark.parametrize("ended", [False, True])
async def test_a_keep_is_refused_while_there_is_a_problem(tmp_path: Path, clock: FakeClock, ended: bool) -> None:
    async with opened(tmp_path, clock) as engine:
        sent = message()
        await submit_one(engine, sent, durable=False)
        if ended:
            await settle_one(engine, await receive_one(engine), SUCCEEDED)
        with unwritable(tmp_path), pytest.raises(EngineUnavailable):
            await submit_one(engine, message(), durable=True)
        with pytest.raises(EngineUnavailable):  # the disk stores again, which the engine has not noticed
            await engine.keep(sent)
        await recover(engine, clock)
        assert (await engine.keep(sent)).durable


async def test_a_late_keep_goes_on_without_its_caller(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        sent = message()
        await submit_one(engine, sent, durable=False)
        await settle_one(engine, await receive_one(engine), LOST)
        keeping = asyncio.create_task(engine.keep(sent))
        await turns(1)  # it has begun
        keeping.cancel()
        await submit_many(engine, 1)
        assert (await get(engine, sent.prediction_id)).durable
        assert [each.prediction_id for each in await engine.dead(MODEL, 10)] == [sent.prediction_id]


@pytest.mark.parametrize("refused", ["prediction", "all"])
async def test_events_of_a_refused_keep_stay_in_memory(tmp_path: Path, clock: FakeClock, refused: str) -> None:
    async with opened(tmp_path, clock, limit_bytes=8 * MIB) as engine:
        sent = message(b'"%s"' % (b"x" * (7 * MIB if refused == "prediction" else 1)))
        await submit_one(engine, sent, durable=False)
        delivery = await receive_one(engine)
        await engine.publish(delivery, [Event(EventKind.PROGRESS, b"1")])
        with nullcontext() if refused == "prediction" else unwritable(tmp_path):
            keeping = asyncio.create_task(engine.keep(sent))
            await turns(1)  # it has begun
            assert await engine.publish(delivery, [Event(EventKind.PROGRESS, b"2")])
            with pytest.raises(EngineUnavailable):
                await keeping
        assert [each.number for each in await engine.events(sent.prediction_id) or []] == [1, 2]
        await recover(engine, clock)


async def test_an_event_wakes_without_its_publisher(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        (prediction_id,) = await submit_many(engine, 1)
        delivery = await receive_one(engine)
        waiting = asyncio.create_task(engine.events(prediction_id, wait_s=60))
        await turns()
        publishing = asyncio.create_task(engine.publish(delivery, [Event(EventKind.PROGRESS, b"1")]))
        await turns(1)  # it has begun
        publishing.cancel()
        async with asyncio.timeout(10):
            assert [each.number for each in await waiting or []] == [1]


async def test_a_pause_goes_on_without_its_caller(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        pausing = asyncio.create_task(engine.pause(MODEL, paused=True))
        await turns(1)  # it has begun
        pausing.cancel()
        await submit_many(engine, 1)
        assert await receive_ids(engine) == []
    assert count(tmp_path, "paused") == 1


async def test_a_pause_that_cannot_be_stored_did_not_happen(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await submit_many(engine, 1)
        with shell(tmp_path) as connection:
            connection.execute("ALTER TABLE paused RENAME TO paused_away")
            with pytest.raises(EngineUnavailable):
                await engine.pause(MODEL, paused=True)
            connection.execute("ALTER TABLE paused_away RENAME TO paused")
        assert await receive_ids(engine) == ids
        await recover(engine, clock)


async def test_two_cancels_that_cannot_be_stored_both_fail(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        ids = await submit_many(engine, 1)
        with unwritable(tmp_path):
            async with asyncio.timeout(10):
                answers = await asyncio.gather(*(engine.cancel(ids[0]) for _ in range(2)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [EngineUnavailable] * 2
        assert await receive_ids(engine) == ids
        await recover(engine, clock)


async def test_a_cancel_of_an_end_that_is_held_fails(tmp_path: Path, clock: FakeClock) -> None:
    async with opened(tmp_path, clock) as engine:
        (prediction_id,) = await submit_many(engine, 1)
        delivery = await receive_one(engine)
        assert await engine.cancel(prediction_id) is Cancellation.ASKED
        with unwritable(tmp_path):
            releasing = asyncio.create_task(engine.release(delivery, counted=True))
            while await problem(engine) is None:
                await turns()
            with pytest.raises(EngineUnavailable):
                await engine.cancel(prediction_id)
        await recover(engine, clock)
        assert await releasing
        assert await engine.cancel(prediction_id) is Cancellation.ENDED
