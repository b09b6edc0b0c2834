"""What can be asked of the disk, and what it answers.

Each ask is given to a thread and answered on the event loop by a call of its `done`.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from zypher.errors import EngineUnavailable, IdempotencyKeyReused, ZypherError
from zypher.prediction import Message, Outcome, Prediction

Answer = TypeVar("Answer")


def resolve(future: asyncio.Future[Answer], answer: Answer | ZypherError) -> None:
    """Give an answer to whoever waits for it, if somebody still does."""
    if future.done():
        return
    if isinstance(answer, ZypherError):
        future.set_exception(answer)
    else:
        future.set_result(answer)


class Standing(msgspec.Struct, frozen=True):
    """The answer to a submit that came before: the prediction that stands for it."""

    prediction_id: str


Written = Standing | IdempotencyKeyReused | EngineUnavailable | None  # None: as it was asked


class Accept(msgspec.Struct, frozen=True):
    """Write a prediction down, and that it has not ended."""

    row: int
    message: Message
    attempt: int  # executions begun, of one that was in memory only
    started_at: datetime | None
    idempotency_key: str | None
    kept_since: datetime  # what ended at this instant or before is forgotten
    done: Callable[[Written], None]


class Mark(msgspec.Struct, frozen=True):
    """Note how many executions began, and whether one runs. Nobody waits for it."""

    row: int
    attempt: int
    started_at: datetime | None  # of the one that runs


class End(msgspec.Struct, frozen=True):
    """Write down how a prediction ended."""

    row: int
    attempt: int
    started_at: datetime | None
    finished_at: datetime
    outcome: Outcome
    done: Callable[[Written], None]

    @classmethod
    def of(cls, prediction: Prediction, row: int, done: Callable[[Written], None]) -> "End":
        """The end of a prediction that ended in memory."""
        assert prediction.outcome is not None
        assert prediction.finished_at is not None
        return cls(row, prediction.attempt, prediction.started_at, prediction.finished_at, prediction.outcome, done)


class Purge(msgspec.Struct, frozen=True):
    """Delete up to `limit` predictions that ended at `kept_since` or before."""

    kept_since: datetime
    limit: int
    done: Callable[[int | EngineUnavailable], None]  # how many there were


class Replay(msgspec.Struct, frozen=True):
    """Let a dead letter wait again, as if no execution had begun."""

    row: int
    done: Callable[[EngineUnavailable | None], None]


class Forget(msgspec.Struct, frozen=True):
    """Delete a dead letter."""

    row: int
    done: Callable[[EngineUnavailable | None], None]


class MarkRead(msgspec.Struct, frozen=True):
    """Note that a client was given these results. Nobody waits for it."""

    prediction_ids: tuple[str, ...]


class Probe(msgspec.Struct, frozen=True):
    """Write a little, to learn whether the disk can store."""


Write = Accept | Mark | End | MarkRead | Replay | Forget | Purge | Probe


class FindResult(msgspec.Struct, frozen=True):
    """Read a prediction that ended."""

    prediction_id: str
    done: Callable[[Prediction | EngineUnavailable | None], None]


class FindStanding(msgspec.Struct, frozen=True):
    """Look whether a submit came before, without accepting it."""

    accept: Accept  # its `done` is answered; None: it did not come before


class LoadInputs(msgspec.Struct, frozen=True):
    """Read the inputs of predictions that wait: of `first` in any size, of the others the small ones."""

    first: int
    others: list[int]
    longest_bytes: int
    done: Callable[[dict[int, bytes] | EngineUnavailable], None]  # by row


Read = FindResult | FindStanding | LoadInputs
