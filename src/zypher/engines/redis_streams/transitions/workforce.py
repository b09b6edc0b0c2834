"""The workers of a model, its card, and what waits for them: announce, depth, pause, forget."""

import logging
from collections import deque
from typing import cast

import msgspec

from zypher.engines.forgetting import model_in_use
from zypher.engines.redis_streams.connection.failures import UnusableData
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import digest, to_bytes
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.scripts import script
from zypher.engines.stored import to_instant
from zypher.model_card import ModelCard
from zypher.queue_state import QueueState, WorkerState

logger = logging.getLogger(__name__)

_MOST_REVISIONS = 8  # of one model that are read as the same records


class Workforce:
    """Reads equal model cards as one record, so that a comparison by identity suffices."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, limits: Limits) -> None:
        self._pipeline = pipeline
        self._models = models
        self._limits = limits
        self._unreadable: dict[str, bytes] = {}  # what was last warned of
        self._cards: dict[str, deque[ModelCard]] = {}  # the last ones of each model

    async def announce(self, presence: WorkerState) -> None:
        card = presence.card
        kept = b"" if card is None else msgspec.msgpack.encode(card)
        await self._pipeline.run(
            script("announce"),
            (self._models.keys(presence.model).base,),
            (
                *(to_bytes(presence.worker_id), msgspec.msgpack.encode(presence)),
                *(0 if presence.gone else self._limits.lease_ms, kept, digest(kept) if kept else ""),
            ),
        )

    async def forget(self, model: str) -> bool:
        """Whether there was a card. Raises `ModelInUse`."""
        answer = await self._pipeline.run(script("forget"), (self._models.keys(model).base,), ())
        match cast(list[bytes | int], answer):
            case [b"used", int(workers), int(unfinished)]:
                raise model_in_use(model, workers=workers, unfinished=unfinished) or AssertionError(answer)
            case [answer]:
                return answer == b"forgotten"
            case _:
                raise AssertionError(f"lua/forget.lua answered {answer!r}")

    async def pause(self, model: str, *, paused: bool) -> None:
        await self._pipeline.run(script("pause"), (self._models.keys(model).base,), (int(paused),))

    async def depth(self, model: str, problem: str | None) -> QueueState:
        """The model's queue and workers; `problem` is passed on."""
        answer = await self._pipeline.run(script("depth"), (self._models.keys(model).base,), ())
        queued, running, delayed, dead, oldest, run_s, input_bytes, paused, card, presences = cast(
            tuple[int, int, int, int, bytes, bytes, int, int, bytes, list[bytes]], answer
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
            card=self._card(model, card),
            paused=paused == 1,
            data_bytes=input_bytes,
            data_limit_bytes=self._limits.most_bytes,
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
            self._warn_once("the announcement of a worker cannot be read", model, content)
            return None
        card = presence.card
        return presence if card is None else msgspec.structs.replace(presence, card=self._same(card))

    def _card(self, model: str, content: bytes) -> ModelCard | None:
        if not content:
            return None
        try:
            return self._same(msgspec.msgpack.decode(content, type=ModelCard))
        except (msgspec.MsgspecError, ValueError):  # one that a worker announces is as good
            self._warn_once("a model's card in Redis cannot be read", model, content)
            return None

    def _warn_once(self, what: str, model: str, content: bytes) -> None:
        if self._unreadable.get(what) != content:
            logger.warning(what, extra={"model": model})
            self._unreadable[what] = content

    def _same(self, card: ModelCard) -> ModelCard:
        """The record that was read before, if there is an equal one among the last few of the model."""
        seen = self._cards.setdefault(card.name, deque(maxlen=_MOST_REVISIONS))
        known = next((each for each in seen if each == card), None)
        if known is None:
            seen.append(card)
        return known or card
