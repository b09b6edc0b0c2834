"""What the record of a prediction has in each state, whatever the engine."""

from datetime import datetime

import msgspec

from tests.contract.conftest import OpenEngine, both_kinds, reopens
from tests.contract.phrases import FAILED, MODEL, SUCCEEDED, get, message, receive_one, settle_one, submit_one
from tests.fake_clock import FakeClock
from zypher.engines.contract import Engine
from zypher.prediction import Message, Options
from zypher.record import record_of

REVISION = "4f1c0a9be27d"


def sent() -> Message:
    return message(options=Options(revision=REVISION))


async def record(engine: Engine, message: Message) -> dict[str, object]:
    return msgspec.json.decode(record_of(await get(engine, message.prediction_id), None))


def dated(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@both_kinds
async def test_a_record_follows_its_prediction(engine: Engine, clock: FakeClock, durable: bool) -> None:
    one = sent()
    await submit_one(engine, one, durable=durable)
    queued = {
        "prediction_id": one.prediction_id,
        "model": MODEL,
        "revision": REVISION,
        "status": "queued",
        "position": 1,
        "submitted_at": dated(one.submitted_at),
        "started_at": None,
        "finished_at": None,
        "attempt": 0,
        "progress": None,
    }
    assert await record(engine, one) == queued
    delivery = await receive_one(engine)
    await engine.begin([delivery])
    running = {**queued, "status": "running", "position": None, "started_at": dated(clock.now()), "attempt": 1}
    assert await record(engine, one) == running
    clock.advance(1)
    assert await engine.release(delivery, counted=True)
    assert await record(engine, one) == {**queued, "attempt": 1}
    delivery = await receive_one(engine)
    started_at = dated(clock.now())
    clock.advance(2)
    await settle_one(engine, delivery, SUCCEEDED)
    ended = {**running, "status": "succeeded", "started_at": started_at, "finished_at": dated(clock.now())}
    assert await record(engine, one) == {**ended, "attempt": 2, "output": {"result": "1"}}


@reopens
async def test_a_record_survives_a_restart(open_engine: OpenEngine, clock: FakeClock) -> None:
    engine = await open_engine()
    failed, cancelled, waiting = [sent() for _ in range(3)]
    for each in (failed, cancelled, waiting):
        await submit_one(engine, each, durable=True)
    await settle_one(engine, await receive_one(engine), FAILED)
    await engine.cancel(cancelled.prediction_id)
    clock.advance(2)
    before = [await record(engine, each) for each in (failed, cancelled, waiting)]
    await engine.close()
    again = await open_engine()
    assert [await record(again, each) for each in (failed, cancelled, waiting)] == before
    assert (before[0]["error"], before[0]["kind"], before[0]["attempt"]) == (
        "Prediction failed: ValueError: schön \N{SNOWMAN}",
        "model_error",
        1,
    )
    assert (before[1]["status"], before[1]["started_at"], before[2]["position"]) == ("cancelled", None, 1)
