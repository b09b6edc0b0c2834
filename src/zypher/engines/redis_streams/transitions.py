"""What each script is given, and what its answer means: one method per file of lua/."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import cast

import msgspec

from zypher.engines.redis_streams.keys import digest, to_bytes, to_text
from zypher.engines.redis_streams.link import Link
from zypher.engines.redis_streams.models import Models
from zypher.engines.redis_streams.records import (
    FIELDS,
    outcome_words,
    read_deliveries,
    read_prediction,
    to_instant,
    to_microseconds,
)
from zypher.engines.redis_streams.scripts import script
from zypher.engines.redis_streams.terms import Terms
from zypher.errors import DataFull, EngineUnavailable, IdempotencyKeyReused, QueueFull
from zypher.model_card import ModelCard
from zypher.prediction import Delivery, Message, Outcome, Prediction, Status
from zypher.queue_state import QueueState, WorkerState

_MIB = 1024 * 1024


class Transitions:
    """Each is asked in the turn in which it is called, so the order of calls is the order in Redis."""

    def __init__(self, link: Link, models: Models, terms: Terms, told: str, watcher: str) -> None:
        self.terms = terms
        self._link = link
        self._models = models
        self._told = told  # what the names of the channels for those who watch begin with
        self._watcher = watcher  # how this process is told of an end
        self._cards: dict[str, ModelCard | None] = {}  # so that the same card is the same record each time

    async def submit(self, message: Message, *, durable: bool, idempotency_key: str | None) -> Prediction | str:
        """The accepted prediction, or the id of the one that stands for it. Raises as the contract says."""
        keys = self._models.keys(message.model)
        record = keys.record(message.prediction_id)
        key = "" if idempotency_key is None else digest(to_bytes(idempotency_key))
        remembered = self._models.remember(message.model)
        asked = self._link.run(
            script("submit"),
            (keys.stream, keys.model, keys.delayed, keys.dead, record, keys.idempotency(key) if key else record),
            (
                *(keys.base, to_bytes(message.prediction_id), to_microseconds(message.submitted_at), message.input),
                *(int(durable), "" if durable else self._watcher, self.terms.queue_limit, self.terms.most_bytes),
                *(self.terms.retention_ms, key, digest(message.input) if key else ""),
            ),
        )
        if remembered is not None:
            await asyncio.gather(remembered, asked)
        answer = cast(list[bytes | int], await asked)
        match answer:
            case [b"accepted", int(position)]:
                return _accepted(message, position, durable=durable)
            case [b"standing", bytes(prediction_id)]:
                return to_text(prediction_id)
            case [b"full", int(waiting)]:
                raise _full(message.model, waiting)
            case [b"heavy"]:
                raise _heavy(message.model, self.terms.most_bytes)
            case [b"reused"]:
                raise IdempotencyKeyReused(
                    "This idempotency key was already used with another input; use a new key for a new prediction."
                )
            case _:
                raise AssertionError(f"lua/submit.lua answered {answer!r}")

    async def get(self, model: str, prediction_id: str, *, watch: bool) -> Prediction | None:
        """The prediction, if it is one of this model; with `watch`, this process is told of its end."""
        keys = self._models.keys(model)
        answer = await self._link.run(
            script("get"),
            (keys.stream, keys.model, keys.returned, keys.record(prediction_id)),
            (self._watcher if watch else "", *FIELDS),
        )
        if not answer:
            return None
        state, position, fields = cast(tuple[bytes, int, list[bytes | None]], answer)
        return read_prediction(prediction_id, model, fields, running=state == b"running", position=position)

    async def cancel(self, model: str, prediction_id: str, finished_at: datetime) -> bool:
        keys, terms = self._models.keys(model), self.terms
        answer = await self._link.run(
            script("cancel"),
            (keys.stream, keys.model, keys.returned, keys.delayed, keys.record(prediction_id)),
            (
                *(keys.base, self._told, to_bytes(prediction_id), to_microseconds(finished_at)),
                *(terms.retention_ms, terms.brief_ms),
            ),
        )
        return answer == 1

    def receive(self, model: str, limit: int, receipt: str, started_at: datetime) -> asyncio.Future[object]:
        """Ask for deliveries; `deliveries` reads the answer."""
        keys = self._models.keys(model)
        return self._link.run(
            script("receive"),
            (keys.stream, keys.model, keys.returned, keys.delayed),
            (
                *(keys.base, limit, self.terms.received_bytes, receipt),
                *(to_microseconds(started_at), self.terms.lease_ms),
            ),
        )

    def deliveries(self, model: str, receipt: str, answer: object) -> tuple[list[Delivery], bool]:
        """What was received, and whether nothing else was ready."""
        *words, ended = cast(list[bytes | int], answer) or [1]
        return read_deliveries(model, receipt, words), ended == 1

    def recall(self, model: str, receipt: str) -> asyncio.Future[object]:
        """Ask to queue again what was leased under a receipt that was never heard of. Asked until Redis takes it."""
        keys = self._models.keys(model)
        return self._link.run(
            script("recall"),
            (keys.stream, keys.model, keys.returned, keys.delayed),
            (keys.base, receipt, self.terms.lease_ms),
            patient=True,
        )

    async def extend(self, model: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Those of one model's deliveries that were lost."""
        keys = self._models.keys(model)
        held = await self._link.run(
            script("extend"),
            (keys.stream, keys.model, *(keys.record(delivery.message.prediction_id) for delivery in deliveries)),
            (self.terms.lease_ms, *(delivery.receipt for delivery in deliveries)),
        )
        return [delivery for delivery, ours in zip(deliveries, cast(list[int], held), strict=True) if not ours]

    def settle(self, delivery: Delivery, outcome: Outcome, finished_at: datetime, mark: str) -> asyncio.Future[object]:
        """Ask for an end; the answer is 1 when it counts. Asked until Redis takes it."""
        message, terms = delivery.message, self.terms
        keys = self._models.keys(message.model)
        return self._link.run(
            script("settle"),
            (keys.stream, keys.model, keys.dead, keys.record(message.prediction_id)),
            (
                *(keys.base, self._told, to_bytes(message.prediction_id), delivery.receipt, mark),
                *(to_microseconds(finished_at), terms.retention_ms, terms.brief_ms),
                *outcome_words(outcome),
            ),
            patient=True,
        )

    def release(self, delivery: Delivery, *, counted: bool, delay_s: float) -> asyncio.Future[object]:
        """Ask to queue it again; the answer is 1 when it was ours."""
        message = delivery.message
        keys = self._models.keys(message.model)
        return self._link.run(
            script("release"),
            (keys.stream, keys.model, keys.returned, keys.delayed, keys.record(message.prediction_id)),
            (keys.base, delivery.receipt, int(counted), round(delay_s * 1000)),
        )

    async def sweep(self, model: str, *, now: bool = False) -> int:
        """Queue again what came due; returns how many are ready. With `now`, however short ago another did."""
        keys = self._models.keys(model)
        ready = await self._link.run(
            script("sweep"),
            (keys.stream, keys.model, keys.returned, keys.delayed),
            (keys.base, 0 if now else round(500 * self.terms.round_s)),
        )
        return cast(int, ready)

    async def announce(self, presence: WorkerState) -> str:
        """The id of a living worker whose schemas differ, and nothing is announced; else ""."""
        keys = self._models.keys(presence.model)
        words = msgspec.msgpack.encode(presence)
        holds_ms = 0 if presence.gone else self.terms.lease_ms
        other = await self._link.run(
            script("announce"),
            (keys.workers, keys.alive),
            (to_bytes(presence.worker_id), _schemas(presence), words, holds_ms),
        )
        return to_text(cast(bytes, other))

    async def depth(self, model: str, problem: str | None) -> QueueState:
        keys = self._models.keys(model)
        answer = await self._link.run(
            script("depth"),
            (keys.stream, keys.model, keys.returned, keys.delayed, keys.dead, keys.workers, keys.alive),
            (keys.base,),
        )
        queued, running, delayed, dead, oldest, run_s, said = cast(
            tuple[int, int, int, int, bytes, bytes, list[bytes]], answer
        )
        return QueueState(
            queued=queued,
            running=running,
            oldest_queued_at=to_instant(oldest) if oldest else None,
            run_s=float(run_s) if run_s else None,
            limit=self.terms.queue_limit,
            workers=tuple(self._presence(words) for words in said),
            problem=problem,
            delayed=delayed,
            dead=dead,
        )

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        keys = self._models.keys(model)
        asked = self._link.run(script("dead"), (keys.dead,), (keys.base, limit, *FIELDS))
        answer = cast(list[bytes | list[bytes | None]], await asked)
        letters: list[Prediction] = []
        for prediction_id, fields in zip(answer[::2], answer[1::2], strict=True):
            assert isinstance(prediction_id, bytes)
            assert isinstance(fields, list)
            letters.append(read_prediction(to_text(prediction_id), model, fields))
        return letters

    async def replay(self, model: str, prediction_id: str) -> bool:
        """Raises `QueueFull` and `DataFull`."""
        keys = self._models.keys(model)
        answer = await self._link.run(
            script("replay"),
            (keys.stream, keys.model, keys.delayed, keys.dead, keys.record(prediction_id)),
            (keys.base, to_bytes(prediction_id), self.terms.queue_limit, self.terms.most_bytes),
        )
        match answer:
            case [b"full", int(waiting)]:
                raise _full(model, waiting)
            case [b"heavy"]:
                raise _heavy(model, self.terms.most_bytes)
            case _:
                return answer == [b"replayed"]

    async def purge(self, model: str, prediction_id: str) -> bool:
        keys = self._models.keys(model)
        answer = await self._link.run(
            script("purge"), (keys.dead, keys.record(prediction_id)), (keys.base, to_bytes(prediction_id))
        )
        return answer == 1

    def _presence(self, words: bytes) -> WorkerState:
        try:
            presence = msgspec.msgpack.decode(words, type=WorkerState)
        except (msgspec.MsgspecError, ValueError):
            raise EngineUnavailable(
                "A worker announces itself in Redis in words that this version of zypher cannot read; "
                "install the version that it has."
            ) from None
        known = self._cards.setdefault(presence.model, presence.card)
        if known != presence.card:
            known = self._cards[presence.model] = presence.card
        return msgspec.structs.replace(presence, card=known)


def _accepted(message: Message, position: int, *, durable: bool) -> Prediction:
    return Prediction(
        message.prediction_id,
        message.model,
        Status.QUEUED,
        message.submitted_at,
        position=position,
        durable=durable,
    )


def _full(model: str, waiting: int) -> QueueFull:
    return QueueFull(f"{waiting} predictions wait for {model}, as many as may; send this one again later.")


def _heavy(model: str, most_bytes: int) -> DataFull:
    return DataFull(
        f"The inputs that wait for {model} have the {most_bytes / _MIB:.6g} MiB that they may (max_data_mb); "
        "send this one again later."
    )


def _schemas(presence: WorkerState) -> str:
    """A digest of what workers of one model must agree on, "" for nothing."""
    schemas = presence.schemas
    return "" if schemas is None else digest(msgspec.json.encode(schemas, order="deterministic"))
