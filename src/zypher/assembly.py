"""Builds everything that runs from the settings."""

import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvloop

from zypher.client.operators import OperatorClient
from zypher.clock import Clock, SystemClock
from zypher.connections.server import HttpServer
from zypher.engines.connect import connect, has_folder, is_shared, survives
from zypher.engines.contract import Engine
from zypher.errors import EngineError, SettingsError
from zypher.gateway.gateway import Gateway
from zypher.http.app import Application, prediction_routes
from zypher.http.health import health_routes
from zypher.http.operators import OPERATOR_SETTINGS, operator_routes
from zypher.models.loader import defined_as
from zypher.operations.dead_letters import OperatorEngine
from zypher.service.http_process import HttpProcess
from zypher.service.lifecycle import Process, run_until_signal, run_until_stopped
from zypher.service.operator_socket import OperatorSocket
from zypher.service.processes import ServerOnly, ServerWithWorker, WorkerOnly
from zypher.service.sockets import Address, address_of
from zypher.service.worker_health import WorkerHealth
from zypher.settings import EngineSettings, Settings
from zypher.telemetry.access_log import AccessLog, Sink, as_lines, as_records
from zypher.telemetry.logs import chosen_format
from zypher.telemetry.metrics import Metrics
from zypher.worker.check import CheckReport, check_model
from zypher.worker.process_replica import Launch
from zypher.worker.worker import Worker, WorkerPlan, worker_of

_SOCKET = "operations.sock"  # in the data folder
THREAD_SWITCH_S = 0.0005  # of threads

logger = logging.getLogger(__name__)


class Parts(msgspec.Struct, frozen=True):
    """A process that serves predictions, and its ASGI application."""

    process: Process
    app: Application


def serve(settings: Settings, *, own_log: bool = True) -> bool:
    """Serve until a signal; False when a second one cut the drain. Raises `StartError`.

    `own_log` says that the log of this process was configured by us.
    """
    # The engine's threads release the GIL at each SQLite step; with Python's interval of 5 ms a busy event
    # loop would hold it so long that five times fewer predictions reach the disk.
    sys.setswitchinterval(THREAD_SWITCH_S)
    warn_if_nothing_survives(settings.engine)
    return uvloop.run(_serve(settings, own_log=own_log))


def build(settings: Settings, sink: Sink | None = as_records) -> Parts:
    """The parts that serve predictions, on any ASGI server; `sink` gets the access log. Raises `StartError`."""
    if settings.worker.here and settings.http.model is not None:
        raise SettingsError("--model chooses what a server without a worker serves; add --no-worker, or leave it out.")
    if not settings.worker.here:
        _require_shared(settings.engine, "A server without a worker")
    clock, metrics = SystemClock(), Metrics()
    engine = connect(settings.engine, clock)
    log = AccessLog(metrics, sink if settings.http.access_log else None)
    if settings.worker.here:
        gateway = Gateway(engine, clock, metrics, model="")
        worker = _worker(settings, engine, clock, metrics)
        process: Process = ServerWithWorker(
            engine, worker, gateway, defined_as(settings.worker.target), _after_lame_duck_s(settings)
        )
    else:
        gateway = Gateway(engine, clock, metrics, model=settings.http.model)
        process = ServerOnly(engine, gateway)
    if has_folder(settings.engine):
        operators = Application(operator_routes(engine), OPERATOR_SETTINGS, clock, AccessLog(metrics, None))
        address = Address(path=_socket(settings.engine), mode=0o600)
        process = OperatorSocket(process, HttpServer(operators, OPERATOR_SETTINGS, clock), address)
    return Parts(process, Application(prediction_routes(gateway, settings.http), settings.http, clock, log))


def warn_if_nothing_survives(settings: EngineSettings) -> None:
    """Log that what is accepted ends with this process, if it does."""
    if not survives(settings):
        logger.warning("the engine is in memory: no prediction and no result survives this process")


def run_worker(settings: Settings) -> bool:
    """Receive and run predictions until a signal; False when a second one cut the drain.

    Raises `StartError`.
    """
    _require_shared(settings.engine, "A worker of its own")
    return uvloop.run(_run_worker(settings))


def http_process(settings: Settings, sink: Sink | None = as_records) -> HttpProcess:
    """A server process, not started; `sink` gets the access log. Raises `StartError`."""
    parts = build(settings, sink)
    server = HttpServer(parts.app, settings.http, SystemClock())
    # Without a worker of its own, a drain waits for the responses.
    responses_timeout_s = 0.0 if settings.worker.here else _after_lame_duck_s(settings)
    return HttpProcess(parts.process, server, address_of(settings.http), responses_timeout_s)


async def _serve(settings: Settings, *, own_log: bool) -> bool:
    sink = as_lines(settings.log, SystemClock()) if own_log else as_records
    return await run_until_stopped(http_process(settings, sink), settings.http.lame_duck_s)


def _after_lame_duck_s(settings: Settings) -> float:
    """What a server has left of the time to drain, which begins with the signal, as one with a lame duck does."""
    return max(0.0, settings.worker.drain_timeout_s - settings.http.lame_duck_s)


async def _run_worker(settings: Settings) -> bool:
    clock, metrics = SystemClock(), Metrics()
    engine = connect(settings.engine, clock)
    worker = _worker(settings, engine, clock, metrics)
    worker_only = WorkerOnly(engine, worker, settings.worker.drain_timeout_s)
    if settings.worker.health_port is None:
        return await run_until_stopped(worker_only)
    http = msgspec.structs.replace(settings.http, port=settings.worker.health_port)
    log = AccessLog(metrics, as_lines(settings.log, clock) if http.access_log else None)
    routes = health_routes(WorkerHealth(worker, engine, metrics), exposes=http.exposes_errors)
    app = Application(routes, http, clock, log)
    return await run_until_stopped(HttpProcess(worker_only, HttpServer(app, http, clock), address_of(http)))


class OperatorSession(msgspec.Struct, frozen=True):
    """An engine, open to an operator."""

    operations: OperatorEngine
    lasting: bool  # False: nothing changes while it is open, and no server can be started meanwhile


@asynccontextmanager
async def operator_session(settings: EngineSettings) -> AsyncGenerator[OperatorSession]:
    """The engine as an operator sees it, while the block lasts. Raises `StartError`."""
    if not is_shared(settings) and not has_folder(settings):
        raise SettingsError(
            "An engine in memory has no socket for operators; read its queues in the server's /metrics, "
            "or name another engine with --engine."
        )
    remote = OperatorClient(_socket(settings))
    if not is_shared(settings) and await remote.answers():
        yield OperatorSession(remote, lasting=True)
        return
    if not is_shared(settings) and not settings.data_dir.is_dir():
        raise EngineError(
            f"There is no data folder {settings.data_dir} here; name the server's with --data-dir, "
            "or the engine that it uses with --engine."
        )
    settings = msgspec.structs.replace(settings, require_durable_engine=False)  # they may look at any
    async with _opened(connect(settings, SystemClock())) as engine:
        yield OperatorSession(engine, lasting=is_shared(settings))


def check(settings: Settings, input: bytes | None) -> CheckReport:
    """Load the model in a replica and run it once on `input` (JSON), if given.

    Raises `TargetError`, and `Interrupted` once a signal has ended the replica in order.
    """
    return uvloop.run(run_until_signal(check_model(_launch(settings), input, SystemClock())))


@asynccontextmanager
async def _opened(engine: Engine) -> AsyncGenerator[Engine]:
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


def _require_shared(settings: EngineSettings, who: str) -> None:
    if not is_shared(settings):
        raise SettingsError(f"{who} needs an engine that others can reach; name one, as --engine redis://HOST:6379/0.")


def _socket(settings: EngineSettings) -> Path:
    return settings.data_dir / _SOCKET


def _worker(settings: Settings, engine: Engine, clock: Clock, metrics: Metrics) -> Worker:
    worker = settings.worker
    plan = WorkerPlan(
        replicas=worker.replicas,
        max_attempts=worker.max_attempts,
        lease_s=settings.engine.lease_s,
        silence_s=worker.replica_silence_s,
        timeout_s=worker.timeout_s,
        setup_timeout_s=worker.setup_timeout_s,
        grace_s=worker.cancel_grace_s,
        log=settings.log,
    )
    return worker_of(_launch(settings), plan, engine, clock, metrics)


def _launch(settings: Settings) -> Launch:
    log = msgspec.structs.replace(settings.log, format=chosen_format(settings.log))
    worker = settings.worker
    wait_ms = worker.max_batch_wait_ms
    return Launch(
        target=worker.target,
        concurrency=worker.concurrency,
        max_output_bytes=worker.max_output_bytes,
        log=log,
        max_batch_size=worker.max_batch_size,
        max_batch_wait_s=None if wait_ms is None else wait_ms / 1000,
        import_path=worker.import_path,
    )
