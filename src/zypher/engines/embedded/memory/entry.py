"""What memory keeps of a prediction that has not ended."""

import asyncio
import weakref
from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import msgspec

from zypher.engines.embedded.journal import Refused, Standing, resolve
from zypher.engines.event_log import EventLog
from zypher.prediction import NO_OPTIONS, Delivery, Lane, Message, Options, Prediction, Status


class Stage(Enum):
    """Where an entry stands, in more detail than its status."""

    ACCEPTING = 1  # its record is being written; not visible to clients yet
    READY = 2  # queued, may be received
    DELAYED = 3  # queued, may be received later
    RUNNING = 4  # leased
    ENDING = 5  # its outcome is being written; its status is the one before until it is


Written = Mapping[str, Prediction | Standing]  # by prediction id


class Writing:
    """Records that are being written to the journal together.

    Any number of callers may wait for that; one that is cancelled changes nothing for the others.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[Written]] = []

    def written(self) -> asyncio.Future[Written]:
        """What became of each; or fails with why none was accepted."""
        waiting: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        return waiting

    def end(self, result: Written | Refused) -> None:
        """Give the result to all that wait."""
        for waiting in self._waiting:
            resolve(waiting, result)


class Lease(msgspec.Struct, eq=False):
    """The time for which one delivery of an entry belongs to its worker."""

    receipt: str
    ends_s: float  # a reading of the monotonic clock
    started_at: datetime
    delivery: weakref.ref[Delivery] | None = None  # its worker holds it, and its input, as long as it runs


class Entry:
    """One prediction that has not ended: small, since a hundred thousand may wait."""

    __slots__ = (
        "attempt",
        "events",
        "expires_s",
        "held_bytes",
        "lease",
        "message",
        "model",
        "number",
        "options",
        "prediction_id",
        "row",
        "stage",
        "stop_asked",
        "submitted_at",
        "unbegun",
        "waiters",
        "watched",
        "writing",
    )

    def __init__(
        self, prediction_id: str, model: str, submitted_at: datetime, attempt: int = 0, options: Options = NO_OPTIONS
    ) -> None:
        self.prediction_id = prediction_id
        self.model = model
        self.submitted_at = submitted_at
        self.options = options
        self.attempt = attempt  # attempts that have begun
        self.unbegun = 0  # times that it was received since one began
        self.number = 0  # its place in the order of its queue, given when it joins
        self.row = 0  # its number in the journal, 0 for one that is in memory only
        self.stage = Stage.ACCEPTING
        self.stop_asked = False  # whether it is to end as cancelled once its attempt does
        self.message: Message | None = None  # None when it must be read from the journal first
        self.expires_s: float | None = None  # the reading of the monotonic clock that is its deadline
        self.held_bytes = 0  # of input that memory must hold while it waits; 0 when the journal has it
        self.lease: Lease | None = None
        self.events: EventLog | None = None  # of one that is in memory only
        self.watched = False  # whether events of it were published or waited for
        self.waiters: list[asyncio.Future[Prediction]] | None = None  # for its end
        self.writing: Writing | None = None  # while its record is being written

    def count(self, attempts: int) -> None:
        """So many attempts have begun."""
        self.attempt = attempts
        self.unbegun = 0

    @property
    def lane(self) -> Lane:
        return self.options.lane

    @property
    def queued(self) -> bool:
        return self.stage is Stage.READY or self.stage is Stage.DELAYED

    def state(self, position: int) -> Prediction:
        """The prediction at this moment; `position` counts only while it is queued."""
        lease = self.lease
        return Prediction(
            prediction_id=self.prediction_id,
            model=self.model,
            status=Status.QUEUED if lease is None else Status.RUNNING,
            submitted_at=self.submitted_at,
            attempt=self.attempt,
            position=position if lease is None else 0,
            started_at=None if lease is None else lease.started_at,
            durable=self.row != 0,
            options=self.options,
        )
