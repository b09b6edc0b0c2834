"""Builds the service from its settings: the parts list."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable

import msgspec
import uvloop

from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.gateway.gateway import Gateway
from zypher.http.app import create_app
from zypher.http.server import HttpServer
from zypher.prediction import Delivery, Message, Outcome, new_prediction_id
from zypher.presence import ModelCard
from zypher.settings import Settings
from zypher.telemetry.logs import chosen_format
from zypher.telemetry.metrics import Metrics
from zypher.worker.executor import Executor
from zypher.worker.replica import Launch, Replica
from zypher.worker.slots import Slots
from zypher.worker.worker import Worker, WorkerPlan

logger = logging.getLogger(__name__)

_SWITCH_S = 0.0005
_LAST_ANSWERS_S = 5.0  # for the answers that the end of the engine sets free

STOPPED_IN_HASTE = 130


def serve(settings: Settings) -> int:
    """Serve until told to stop by a signal; the exit code. Raises `StartError`."""
    # The engine's threads give the interpreter back at each SQLite step; with Python's 5 ms a busy event
    # loop would keep them from it so long that five times fewer predictions reach the disk.
    sys.setswitchinterval(_SWITCH_S)
    return uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    return await Service(settings).run()


class Service:
    """Everything that `zypher serve` runs in one process, and the replicas beside it."""

    def __init__(self, settings: Settings) -> None:
        clock = SystemClock()
        metrics = Metrics()
        self._settings = settings
        self._stop = asyncio.Event()  # the first signal
        self._haste = asyncio.Event()  # the second
        self._engine = connect(settings.engine, clock)
        self._worker = Worker(_plan(settings), self._engine, clock, metrics)
        self._gateway = Gateway(self._engine, clock, metrics)
        self._server = HttpServer(create_app(self._gateway, settings.http), settings.http, clock)

    async def run(self) -> int:
        """Start, serve, drain, stop."""
        self._listen_to_signals()
        try:
            await self._start()
            await _first(self._stop.wait(), asyncio.shield(self._worker.died))
            await _first(self._drain(), self._haste.wait(), asyncio.shield(self._worker.died))
        finally:
            await self._end()
        logger.info("stopped")
        return STOPPED_IN_HASTE if self._haste.is_set() else 0

    async def _start(self) -> None:
        self._server.bind()
        await self._engine.open()
        self._worker.start()
        await self._server.start()
        logger.info("listening", extra={"url": self._server.url})
        await _first(self._ready(), self._stop.wait())

    async def _ready(self) -> None:
        card = await self._worker.run()
        # What lives as long as the process need not be looked at again by the collector.
        gc.freeze()
        # Predictions leave no cycles behind: looking for some after every 700 of their objects costs a twentieth.
        gc.set_threshold(10_000, 20, 50)
        logger.info("ready", extra={"model": card.name, "url": self._server.url})
        await self._name_strangers(card)

    async def _name_strangers(self, card: ModelCard) -> None:
        for model in await self._engine.models():
            waiting = (await self._engine.depth(model)).queued if model != card.name else 0
            if waiting:
                about = {"model": model, "predictions": waiting}
                logger.warning("accepted predictions wait for a model that is not served here", extra=about)

    async def _drain(self) -> None:
        self._gateway.drain()
        await self._worker.drain(self._settings.worker.drain_timeout_s)

    async def _end(self) -> None:
        self._gateway.drain()
        try:
            await self._worker.stop()
        finally:
            await self._engine.close()
            await self._server.stop(0 if self._haste.is_set() else _LAST_ANSWERS_S)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            self._haste.set()
            return
        self._stop.set()
        logger.info("stopping; a second signal stops at once", extra={"signal": number.name})


class CheckReport(msgspec.Struct, frozen=True):
    """What `zypher check` found."""

    card: ModelCard
    load_s: float
    outcome: Outcome | None  # of the input, when one was given


def check(target: str, settings: Settings, input: bytes | None) -> CheckReport:
    """Load a model in a replica and run it once on `input` (JSON), if given. Raises `TargetError`."""
    return uvloop.run(_check(target, settings, input))


async def _check(target: str, settings: Settings, input: bytes | None) -> CheckReport:
    clock = SystemClock()
    began = clock.monotonic()
    replica = Replica(1, msgspec.structs.replace(_launch(settings), target=target))
    await replica.start()
    ended = asyncio.ensure_future(replica.ended())
    try:
        card = await replica.loaded()
        load_s = clock.monotonic() - began
        outcome = None if input is None else await _try(replica, card, input, clock)
        return CheckReport(card, load_s, outcome)
    finally:
        replica.stop()
        await ended


async def _try(replica: Replica, card: ModelCard, input: bytes, clock: SystemClock) -> Outcome:
    slots = Slots()
    slots.add(replica)
    now = clock.now()
    delivery = Delivery(Message(new_prediction_id(now), card.name, input, now), attempt=1, receipt="")
    outcome = await Executor(slots, 1, Metrics()).execute(delivery)
    assert isinstance(outcome, Outcome), "with one attempt there is no retry"
    return outcome


def _plan(settings: Settings) -> WorkerPlan:
    worker = settings.worker
    return WorkerPlan(_launch(settings), worker.replicas, worker.max_attempts, settings.engine.lease_s)


def _launch(settings: Settings) -> Launch:
    log = msgspec.structs.replace(settings.log, format=chosen_format(settings.log))
    return Launch(settings.worker.target, settings.worker.concurrency, log)


async def _first(*waits: Awaitable[object]) -> None:
    """Wait until one of them ends, raise what it raised, and cancel the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
