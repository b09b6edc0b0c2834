"""The journal: what must last of predictions, as the transitions write and read it.

A journal takes operations in order. The result of each is given on the event loop, by a call of its `done`.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from zypher.engines.embedded.recovery import Recovery
from zypher.errors import EngineUnavailable, IdempotencyKeyReused, ZypherError
from zypher.model_card import ModelCard
from zypher.prediction import Failure, FailureKind, Message, Outcome, Prediction, Status

Result = TypeVar("Result")


def resolve(future: asyncio.Future[Result], result: Result | ZypherError) -> None:
    """Set the result or the error of a future, unless it is done or cancelled."""
    if future.done():
        return
    if isinstance(result, ZypherError):
        future.set_exception(result)
    else:
        future.set_result(result)


class Standing(msgspec.Struct, frozen=True):
    """The result of a repeated submit: the prediction that was accepted first."""

    prediction_id: str


Written = Standing | IdempotencyKeyReused | EngineUnavailable | None  # None: written as given


class Damaged(EngineUnavailable):
    """What the journal holds of one prediction is damaged, so that its end cannot be stored: it is lost."""


class Lost(msgspec.Struct, frozen=True):
    """A prediction that was accepted, and whose end or row cannot be found any more."""

    prediction_id: str
    model: str = ""  # "" where it cannot be read
    submitted_at: datetime | None = None


DATA_LOST = Outcome(
    Status.FAILED,
    failure=Failure(
        FailureKind.DATA_LOST,
        "data_lost: what the server's data folder kept of it is missing or damaged; send it again",
    ),
)


class Accept(msgspec.Struct, frozen=True):
    """Store a prediction that has not ended."""

    row: int
    message: Message
    attempt: int  # attempts that have begun, of one that was in memory only
    started_at: datetime | None
    idempotency_key: str | None
    kept_since: datetime  # what ended at this instant or before is forgotten
    done: Callable[[Written], None]


class Mark(msgspec.Struct, frozen=True):
    """Note how many attempts have begun, and whether one runs."""

    row: int
    attempt: int
    started_at: datetime | None  # of the one that runs
    done: Callable[[EngineUnavailable | None], None] | None = None  # None: nothing waits for it


class End(msgspec.Struct, frozen=True):
    """Store how a prediction ended; one that the journal refused stays unknown to it."""

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
    done: Callable[[int | EngineUnavailable], None]  # how many were deleted


class Replay(msgspec.Struct, frozen=True):
    """Queue a dead letter again, as if no attempt had begun."""

    row: int
    done: Callable[[EngineUnavailable | None], None]


class Forget(msgspec.Struct, frozen=True):
    """Delete a dead letter."""

    row: int
    done: Callable[[EngineUnavailable | None], None]


class KeepCard(msgspec.Struct, frozen=True):
    """Store a model's card in place of the one before."""

    model: str
    card: ModelCard
    done: Callable[[EngineUnavailable | None], None]


class ForgetCard(msgspec.Struct, frozen=True):
    """Delete a model's card."""

    model: str
    done: Callable[[EngineUnavailable | None], None]


class MarkRead(msgspec.Struct, frozen=True):
    """Note that a client was given these results. It has no result."""

    prediction_ids: tuple[str, ...]


class Probe(msgspec.Struct, frozen=True):
    """Write a little, to find out whether the journal can store."""


Write = Accept | Mark | End | MarkRead | Replay | Forget | KeepCard | ForgetCard | Purge | Probe


class FindResult(msgspec.Struct, frozen=True):
    """Read a prediction that ended."""

    prediction_id: str
    done: Callable[[Prediction | Lost | EngineUnavailable | None], None]


class FindStanding(msgspec.Struct, frozen=True):
    """Find what an earlier submit of the same id or key accepted, without accepting anything."""

    accept: Accept  # its `done` gets the result; None: there was no earlier one


class LoadInputs(msgspec.Struct, frozen=True):
    """Read the inputs of predictions that wait: of `first` in any size, of the others the small ones."""

    first: int
    others: list[int]
    longest_bytes: int
    done: Callable[[dict[int, bytes] | EngineUnavailable], None]  # by row


Read = FindResult | FindStanding | LoadInputs


class WaitingRow(msgspec.Struct, frozen=True):
    """One prediction of an earlier process that has not ended."""

    row: int
    prediction_id: str
    model: str
    submitted_at: datetime
    attempt: int
    revision: str


class DeadLetter(msgspec.Struct, frozen=True):
    """A dead letter without its input and outcome."""

    row: int
    prediction_id: str
    model: str
    submitted_at: datetime
    finished_at: datetime
    revision: str


class Recovered(msgspec.Struct, frozen=True):
    """What an earlier process left in a journal."""

    waiting: list[WaitingRow] = []  # all that has not ended, in order of acceptance
    dead: list[DeadLetter] = []  # those that died first first
    cards: dict[str, ModelCard] = {}  # by model


class Journal(Protocol):
    """Stores predictions from `open` to `close`; outside of them `write` and `read` raise `EngineUnavailable`."""

    @property
    def recovery(self) -> Recovery:
        """Whether it can store now, and what is to be written again once it can."""
        ...

    def open(self) -> Recovered:
        """Begin. Raises `EngineError`."""
        ...

    async def close(self) -> None:
        """Return once all that was given is done and has its result. May happen twice."""
        ...

    def new_row(self) -> int:
        """A number for a prediction that none had before."""
        ...

    def write(self, operation: Write) -> None:
        """Write after all that was given before; a result means that it is stored."""
        ...

    def read(self, operation: Read) -> None:
        """Read what is stored."""
        ...

    def note_read(self, prediction_id: str) -> None:
        """Note that a client was given this result: it may go before its retention is over.

        May wait in memory for other writes: if that is lost, the result is only kept longer.
        """
        ...
