"""The workers of a model, and what waits for them: announce, depth."""

import logging
from typing import cast

import msgspec

from zypher.engines.instants import to_instant
from zypher.engines.redis_streams.connection.failures import UnusableData
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import digest, to_bytes, to_text
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.scripts import script
from zypher.model_card import ModelCard
from zypher.queue_state import QueueState, WorkerState

logger = logging.getLogger(__name__)


class Workforce:
    """Reads equal model cards as one record, so that a comparison by identity suffices."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, limits: Limits) -> None:
        self._pipeline = pipeline
        self._models = models
        self._limits = limits
        self._unreadable: set[bytes] = set()  # the last announcement that could not be read
        self._cards: dict[str, ModelCard | None] = {}  # the last one of each model

    async def announce(self, presence: WorkerState) -> str:
        """The id of a living worker whose schemas differ, and nothing is announced; else ""."""
        keys = self._models.keys(presence.model)
        content = msgspec.msgpack.encode(presence)
        holds_ms = 0 if presence.gone else self._limits.lease_ms
        other = await self._pipeline.run(
            script("announce"),
            (keys.workers, keys.alive),
            (to_bytes(presence.worker_id), _schemas(presence), content, holds_ms),
        )
        return to_text(cast(bytes, other))

    async def depth(self, model: str, problem: str | None) -> QueueState:
        """The model's queue and workers; `problem` is passed on."""
        keys = self._models.keys(model)
        answer = await self._pipeline.run(
            script("depth"),
            (keys.stream, keys.model, keys.returned, keys.delayed, keys.dead, keys.workers, keys.alive),
            (keys.base,),
        )
        queued, running, delayed, dead, oldest, run_s, presences = cast(
            tuple[int, int, int, int, bytes, bytes, list[bytes]], answer
        )
        return QueueState(
            queued=queued,
            running=running,
            oldest_queued_at=to_instant(int(oldest)) if oldest else None,
            run_s=float(run_s) if run_s else None,
            limit=self._limits.queue_limit,
            workers=self._workers(model, presences),
            problem=problem,
            delayed=delayed,
            dead=dead,
        )

    def _workers(self, model: str, presences: list[bytes]) -> tuple[WorkerState, ...]:
        """Those that this version can read. Raises `UnusableData` when there are workers and it can read none."""
        found = (self._presence(model, content) for content in presences)
        workers = tuple(worker for worker in found if worker is not None)
        if presences and not workers:
            raise UnusableData(
                f"The workers of {model} announce themselves in Redis in words that this version cannot read; "
                "install the version that they have."
            )
        return workers

    def _presence(self, model: str, content: bytes) -> WorkerState | None:
        """None, and a line in the log, for one that this version cannot read: the other workers are as they are."""
        try:
            presence = msgspec.msgpack.decode(content, type=WorkerState)
        except (msgspec.MsgspecError, ValueError):
            if content not in self._unreadable:
                logger.warning("the announcement of a worker cannot be read", extra={"model": model})
                self._unreadable = {content}
            return None
        known = self._cards.setdefault(presence.model, presence.card)
        if known != presence.card:
            known = self._cards[presence.model] = presence.card
        return msgspec.structs.replace(presence, card=known)


def _schemas(presence: WorkerState) -> str:
    """A digest of what workers of one model must agree on, "" for nothing."""
    schemas = presence.schemas
    return "" if schemas is None else digest(msgspec.json.encode(schemas, order="deterministic"))
