"""The three kinds of process: server with worker, server only, worker only. Each starts and ends its parts in order."""

import asyncio
import logging

from zypher.engines.contract import Engine
from zypher.errors import EngineUnavailable, TargetError
from zypher.gateway.gateway import Gateway
from zypher.model_card import ModelCard
from zypher.worker.worker import Worker

logger = logging.getLogger(__name__)


class ServerWithWorker:
    """Server and worker in one process: `zypher serve`.

    With a card of the model from an earlier start, it accepts before the model is loaded, and also when that fails.
    """

    def __init__(
        self, engine: Engine, worker: Worker, gateway: Gateway, defined_as: str, drain_timeout_s: float
    ) -> None:
        """`defined_as` is the model's name in its file."""
        self.died = worker.died
        self._engine = engine
        self._worker = worker
        self._gateway = gateway
        self._defined_as = defined_as
        self._drain_timeout_s = drain_timeout_s
        self._known: ModelCard | None = None
        self._loading: asyncio.Task[None] | None = None  # of a model that could not be loaded at first

    async def start(self) -> None:
        await self._engine.open()
        self._known = await _known_card(self._engine, self._defined_as)
        if self._known is not None:
            self._gateway.serve_only(self._known.name)
        self._worker.start()

    async def get_ready(self) -> None:
        try:
            await self._run()
        except TargetError as error:
            if self._known is None:
                raise
            _report(error)
            self._worker.assume(self._known)
            self._loading = asyncio.create_task(self._run_later(), name="loading")

    async def _run(self) -> None:
        card = await self._worker.run()
        self._gateway.serve_only(card.name)
        logger.info("ready", extra={"model": card.name})
        await _warn_of_other_models(self._engine, card)

    async def _run_later(self) -> None:
        """Run once a replica can load the model."""
        while True:
            try:
                return await self._run()
            except TargetError as error:
                _report(error)

    def retire(self) -> None:
        self._gateway.retire()

    async def drain(self) -> None:
        self._gateway.drain()
        await self._worker.drain(self._drain_timeout_s)

    async def stop(self) -> None:
        self._gateway.drain()
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait({self._loading})
        try:
            await self._worker.stop()
        finally:
            await self._gateway.close()
            await self._engine.close()

    def hurry(self) -> None:
        self._worker.hurry()


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

    def retire(self) -> None:
        self._gateway.retire()

    async def drain(self) -> None:
        self._gateway.drain()

    async def stop(self) -> None:
        self._gateway.drain()
        await self._gateway.close()
        await self._engine.close()

    def hurry(self) -> None:
        """Nothing of it takes time to end."""


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

    def retire(self) -> None:
        """Do nothing: a worker is sent no requests that could be refused."""

    async def drain(self) -> None:
        await self._worker.drain(self._drain_timeout_s)

    async def stop(self) -> None:
        try:
            await self._worker.stop()
        finally:
            await self._engine.close()

    def hurry(self) -> None:
        self._worker.hurry()


async def _known_card(engine: Engine, defined_as: str) -> ModelCard | None:
    """The card that an earlier start of this model announced, or a worker elsewhere."""
    try:
        cards = [queue.card for queue in (await engine.queues()).values() if queue.card is not None]
    except EngineUnavailable as error:
        logger.warning("the engine is away", extra={"problem": str(error)})
        return None
    return next((card for card in cards if (card.defined_as or card.name) == defined_as), None)


def _report(error: TargetError) -> None:
    about = {"problem": str(error), "details": error.details}
    logger.error("the model cannot be loaded; predictions are accepted and wait for it", extra=about)


async def _warn_of_other_models(engine: Engine, card: ModelCard) -> None:
    """Warn of predictions that were accepted for a model which is not served here."""
    try:
        for model, queue in (await engine.queues()).items():
            if model != card.name and queue.queued and not queue.workers:
                about = {"model": model, "predictions": queue.queued}
                logger.warning("accepted predictions wait for a model that is not served here", extra=about)
    except EngineUnavailable as error:
        logger.warning("the engine is away", extra={"problem": str(error)})
