"""The three kinds of process: server with worker, server only, worker only. Each starts and ends its parts in order."""

import asyncio
import logging

from zypher.engines.contract import Engine
from zypher.errors import EngineUnavailable
from zypher.gateway.gateway import Gateway
from zypher.model_card import ModelCard
from zypher.worker.worker import Worker

logger = logging.getLogger(__name__)


class ServerWithWorker:
    """Server and worker in one process: `zypher serve`."""

    def __init__(self, engine: Engine, worker: Worker, gateway: Gateway, drain_timeout_s: float) -> None:
        self.died = worker.died
        self._engine = engine
        self._worker = worker
        self._gateway = gateway
        self._drain_timeout_s = drain_timeout_s

    async def start(self) -> None:
        await self._engine.open()
        self._worker.start()

    async def get_ready(self) -> None:
        card = await self._worker.run()
        self._gateway.serve_only(card.name)
        logger.info("ready", extra={"model": card.name})
        await _warn_of_other_models(self._engine, card)

    async def drain(self) -> None:
        self._gateway.drain()
        await self._worker.drain(self._drain_timeout_s)

    async def stop(self, *, at_once: bool) -> None:
        self._gateway.drain()
        try:
            await self._worker.stop()
        finally:
            await self._gateway.close()
            await self._engine.close()


class ServerOnly:
    """Server only: `zypher serve --no-worker`. The predictions run wherever workers receive them."""

    def __init__(self, engine: Engine, gateway: Gateway) -> None:
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._engine = engine
        self._gateway = gateway

    async def start(self) -> None:
        await self._engine.open()

    async def get_ready(self) -> None:
        """Return at once: readiness reports whether there is a worker."""

    async def drain(self) -> None:
        self._gateway.drain()

    async def stop(self, *, at_once: bool) -> None:
        self._gateway.drain()
        await self._gateway.close()
        await self._engine.close()


class WorkerOnly:
    """Worker only: `zypher worker`."""

    def __init__(self, engine: Engine, worker: Worker, drain_timeout_s: float) -> None:
        self.died = worker.died
        self._engine = engine
        self._worker = worker
        self._drain_timeout_s = drain_timeout_s

    async def start(self) -> None:
        await self._engine.open()
        self._worker.start()
        logger.info("loading the model", extra={"worker_id": self._worker.worker_id})

    async def get_ready(self) -> None:
        card = await self._worker.run()
        logger.info("ready", extra={"model": card.name, "worker_id": self._worker.worker_id})

    async def drain(self) -> None:
        await self._worker.drain(self._drain_timeout_s)

    async def stop(self, *, at_once: bool) -> None:
        try:
            await self._worker.stop()
        finally:
            await self._engine.close()


async def _warn_of_other_models(engine: Engine, card: ModelCard) -> None:
    """Warn of predictions that were accepted for a model which is not served here."""
    try:
        for model, queue in (await engine.queues()).items():
            if model != card.name and queue.queued and not queue.workers:
                about = {"model": model, "predictions": queue.queued}
                logger.warning("accepted predictions wait for a model that is not served here", extra=about)
    except EngineUnavailable as error:
        logger.warning("the engine is away", extra={"problem": str(error)})
