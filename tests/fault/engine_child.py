"""An embedded engine in a process of its own, whose first argument says what it does; prints lines."""

import asyncio
import resource
import sys
from itertools import count
from pathlib import Path

from tests.contract.phrases import MODEL, SUCCEEDED, message, receive_one, settle_one, submit_one
from zypher.clock import SystemClock
from zypher.engines.embedded.disk.journal import DiskJournal
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.errors import EngineUnavailable
from zypher.prediction import Event, EventKind, Options

_SUBMITTERS = 16


def engine_in(folder: Path, retention_s: float = 3600) -> EmbeddedEngine:
    clock = SystemClock()
    return EmbeddedEngine(DiskJournal(folder, clock), clock, queue_limit=1_000_000, retention_s=retention_s, lease_s=30)


async def submit_until_killed(folder: Path) -> None:
    """Print each id once it is accepted; settle some, and print these ids once they are settled."""
    engine = engine_in(folder)
    await engine.open()

    async def submit() -> None:
        while True:
            accepted = await submit_one(engine, message(), durable=True)
            print("accepted", accepted.prediction_id, flush=True)

    async def work() -> None:
        while True:
            for delivery in await engine.receive(MODEL, 1, 1):
                await settle_one(engine, delivery, SUCCEEDED)
                print("settled", delivery.message.prediction_id, flush=True)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_SUBMITTERS):
            tasks.create_task(submit())
        tasks.create_task(work())


async def end_until_killed(folder: Path) -> None:
    """Cancel what runs, publish events and settle with notices; print each once it is promised."""
    engine = engine_in(folder)
    await engine.open()
    options = Options(notify=True)

    async def live() -> None:
        for number in count():
            await submit_one(engine, message(options=options), durable=True)
            delivery = await receive_one(engine)
            prediction_id = delivery.message.prediction_id
            await engine.publish(delivery, [Event(EventKind.PROGRESS, b"0.5")])
            print("published", prediction_id, flush=True)
            if number % 2:
                await engine.cancel(prediction_id)
                print("stopping", prediction_id, flush=True)
            else:
                await settle_one(engine, delivery, SUCCEEDED)
                print("settled", prediction_id, flush=True)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_SUBMITTERS):
            tasks.create_task(live())


async def fill_the_disk(folder: Path) -> None:
    """Meet a file size limit while a prediction runs, lift it, and go on by itself."""
    engine = engine_in(folder)
    await engine.open()
    await submit_one(engine, message(), durable=True)
    delivery = await receive_one(engine)
    _limit_files(64 * 1024)
    try:
        while True:
            await submit_one(engine, message(b'"' + b"x" * 10_000 + b'"'), durable=True)
    except EngineUnavailable as error:
        print("refused", error, flush=True)
    _limit_files(1024)  # what is small does not fit either
    settle = asyncio.create_task(settle_one(engine, delivery, SUCCEEDED))
    transient = await submit_one(engine, message(), durable=False)
    print("transient", transient.status, flush=True)
    await asyncio.wait([settle], timeout=0.3)
    print("problem", (await engine.queues(MODEL))[MODEL].problem is not None, flush=True)
    _limit_files(resource.RLIM_INFINITY)
    print("settled", await settle, flush=True)
    print("problem", (await engine.queues(MODEL))[MODEL].problem is not None, flush=True)
    again = await submit_one(engine, message(), durable=True)
    print("accepted", again.prediction_id, flush=True)
    await engine.close()


def _limit_files(size_bytes: int) -> None:
    """A write beyond it fails, as on a full disk; Python ignores the signal that comes with it."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


async def shrink_until_killed(folder: Path) -> None:
    """Forget large results while small predictions come in, and print their ids."""
    engine = engine_in(folder, 0.5)
    await engine.open()
    for _ in range(30):
        await submit_one(engine, message(b'"' + b"x" * 1_000_000 + b'"'), durable=True)
        await settle_one(engine, await receive_one(engine), SUCCEEDED)
    await engine.close()
    engine = engine_in(folder, 0.5)
    await asyncio.sleep(0.6)  # until they are past their retention
    await engine.open()
    while True:
        accepted = await submit_one(engine, message(), durable=True)
        print("accepted", accepted.prediction_id, flush=True)
        await asyncio.sleep(0.005)  # between two, it shrinks


if __name__ == "__main__":
    deeds = {
        "shrink": shrink_until_killed,
        "submit": submit_until_killed,
        "end": end_until_killed,
        "fill": fill_the_disk,
    }
    asyncio.run(deeds[sys.argv[1]](Path(sys.argv[2])))
