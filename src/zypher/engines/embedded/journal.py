"""The journal: what must last of predictions, as the transitions write and read it.

A journal takes operations in order. The result of each is given on the event loop, by a call of its `done`.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from zypher.engines.embedded.engine_clock import Moment
from zypher.engines.embedded.recovery import Recovery
from zypher.errors import EngineUnavailable, IdempotencyKeyReused, ZypherError
from zypher.model_card import ModelCard
from zypher.prediction import Event, Failure, FailureKind, Message, Options, Outcome, Prediction, Status

_NO_ROW = 0

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


Accepted = Sequence[Standing | None]  # of each prediction what stands for it; None: written as given
Refused = IdempotencyKeyReused | EngineUnavailable


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


class Row(msgspec.Struct, frozen=True):
    """A prediction that has not ended, as it is stored."""

    row: int
    message: Message
    idempotency_key: str | None = None
    attempt: int = 0  # attempts that have begun, of one that was in memory only
    started_at: datetime | None = None
    stop_asked: bool = False
    events: tuple[Event, ...] = ()


class Accept(msgspec.Struct, frozen=True):
    """Store predictions that have not ended, all or none."""

    rows: Sequence[Row]
    kept_since_us: int  # what ended at this reading of the engine clock or before is forgotten
    done: Callable[[Accepted | Refused], None]


class Mark(msgspec.Struct, frozen=True):
    """Note how many attempts have begun, whether one runs, and whether it is asked to stop."""

    row: int
    attempt: int
    started_at: datetime | None  # of the one that runs
    stop_asked: bool = False
    done: Callable[[EngineUnavailable | None], None] | None = None  # None: nothing waits for it


class Publish(msgspec.Struct, frozen=True):
    """Store events of an attempt under the next numbers; those of an unknown row are forgotten."""

    row: int
    attempt: int
    events: Sequence[Event]
    done: Callable[[EngineUnavailable | None], None]


class End(msgspec.Struct, frozen=True):
    """Store how a prediction ended; one that the journal refused stays unknown to it."""

    row: int
    attempt: int
    started_at: datetime | None
    ended: Moment
    outcome: Outcome
    notice: Row | None  # of this end, stored with it
    done: Callable[[EngineUnavailable | None], None]


class Purge(msgspec.Struct, frozen=True):
    """Delete up to `limit` predictions that ended at this reading of the engine clock or before."""

    kept_since_us: int
    limit: int
    done: Callable[[int | EngineUnavailable], None]  # how many were deleted


class Replay(msgspec.Struct, frozen=True):
    """Queue a dead letter again, with these options and as if no attempt had begun."""

    row: int
    options: Options
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


class Pause(msgspec.Struct, frozen=True):
    """Note whether a model is paused."""

    model: str
    paused: bool
    done: Callable[[EngineUnavailable | None], None]


class MarkRead(msgspec.Struct, frozen=True):
    """Note that a client was given these results. It has no result."""

    prediction_ids: tuple[str, ...]


class SetClock(msgspec.Struct, frozen=True):
    """Store this moment, for the engine clock of a process that starts after this one. It has no result."""

    moment: Moment


class Probe(msgspec.Struct, frozen=True):
    """Write a little, to find out whether the journal can store."""


Write = (
    Accept
    | Mark
    | Publish
    | End
    | MarkRead
    | Replay
    | Forget
    | KeepCard
    | ForgetCard
    | Pause
    | Purge
    | SetClock
    | Probe
)


class FindResult(msgspec.Struct, frozen=True):
    """Read a prediction that ended, unless it is past its retention."""

    prediction_id: str
    kept_since_us: int
    done: Callable[[Prediction | Lost | EngineUnavailable | None], None]


class FindStanding(msgspec.Struct, frozen=True):
    """Find what earlier submits of the same ids or keys accepted, without accepting anything."""

    accept: Accept  # its `done` gets the result; None: there was no earlier one


class FindEvents(msgspec.Struct, frozen=True):
    """Read the events of a prediction above a number."""

    prediction_id: str
    after: int
    done: Callable[[list[Event] | EngineUnavailable], None]


class Unended(msgspec.Struct, frozen=True):
    """A prediction in a list that had not ended when it was read."""

    prediction_id: str


class Listed(msgspec.Struct, frozen=True):
    """A part of a list; notices are among it."""

    predictions: list[Prediction | Unended]  # without outputs
    after: int | None  # the row below which the next part begins; None: this is the last one


class FindList(msgspec.Struct, frozen=True):
    """Read some of a model's predictions, those that were accepted last first; none that is past its retention."""

    model: str
    status: Status | None  # queued and running are the same here: not ended
    limit: int
    below: int  # rows from here on are passed over
    kept_since_us: int
    done: Callable[[Listed | EngineUnavailable], None]


class LoadInputs(msgspec.Struct, frozen=True):
    """Read the inputs of predictions that wait: of `first` in any size, of the others the small ones."""

    first: int
    others: list[int]
    longest_bytes: int
    done: Callable[[dict[int, bytes] | EngineUnavailable], None]  # by row


Read = FindResult | FindStanding | FindEvents | FindList | LoadInputs


class WaitingRow(msgspec.Struct, frozen=True):
    """One prediction of an earlier process that has not ended."""

    row: int
    prediction_id: str
    model: str
    submitted_at: datetime
    attempt: int
    options: Options
    stop_asked: bool = False


class DeadLetter(msgspec.Struct, frozen=True):
    """A dead letter without its input and outcome."""

    row: int
    prediction_id: str
    model: str
    submitted_at: datetime
    ended_us: int  # by the engine clock
    options: Options


class Recovered(msgspec.Struct, frozen=True):
    """What an earlier process left in a journal."""

    waiting: list[WaitingRow] = []  # all that has not ended, in order of acceptance
    dead: list[DeadLetter] = []  # those that died first first
    cards: dict[str, ModelCard] = {}  # by model
    paused: frozenset[str] = frozenset()  # models
    moment: Moment | None = None  # the last one that was stored


class Journal(Protocol):
    """Stores predictions from `open` to `close`; outside of them `write` and `read` raise `EngineUnavailable`."""

    @property
    def recovery(self) -> Recovery:
        """Whether it can store now, and what is to be written again once it can."""
        ...

    @property
    def used_bytes(self) -> int:
        """About how many bytes are stored, as they count against `limit_bytes`; 0 before `open`."""
        ...

    @property
    def limit_bytes(self) -> int:
        """How many bytes may be stored; 0 before `open`."""
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


async def all_written(journal: Journal) -> None:
    """Return once all that is being written has its result. Raises `EngineUnavailable` when that cannot be stored."""
    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    journal.write(Mark(_NO_ROW, 0, None, done=partial(resolve, written)))
    await written
