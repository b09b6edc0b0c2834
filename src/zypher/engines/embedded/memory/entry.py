"""What memory keeps of a prediction that has not ended."""

import asyncio
from datetime import datetime
from enum import Enum

import msgspec

from zypher.engines.embedded.journal import Standing
from zypher.prediction import Message, Prediction, Status


class Stage(Enum):
    """Where an entry stands, in more detail than its status."""

    ACCEPTING = 1  # its record is being written; not visible to clients yet
    READY = 2  # queued, may be received
    DELAYED = 3  # queued, may be received later
    RUNNING = 4  # leased
    ENDING = 5  # its outcome is being written; its status is the one before until it is


class Lease(msgspec.Struct, eq=False):
    """The time for which one delivery of an entry belongs to its worker."""

    receipt: str
    ends_s: float  # a reading of the monotonic clock
    started_at: datetime


class Entry:
    """One prediction that has not ended: small, since a hundred thousand may wait."""

    __slots__ = (
        "attempt",
        "held_bytes",
        "lease",
        "message",
        "model",
        "number",
        "prediction_id",
        "revision",
        "row",
        "stage",
        "submitted_at",
        "submitters",
        "unbegun",
        "waiters",
    )

    def __init__(
        self, prediction_id: str, model: str, submitted_at: datetime, attempt: int = 0, revision: str = ""
    ) -> None:
        self.prediction_id = prediction_id
        self.model = model
        self.submitted_at = submitted_at
        self.revision = revision  # of the model that accepted the input
        self.attempt = attempt  # attempts that have begun
        self.unbegun = 0  # times that it was received since one began
        self.number = 0  # its place in the order of its queue, given when it joins
        self.row = 0  # its number in the journal, 0 for one that is in memory only
        self.stage = Stage.ACCEPTING
        self.message: Message | None = None  # None when it must be read from the journal first
        self.held_bytes = 0  # of input that memory must hold while it waits; 0 when the journal has it
        self.lease: Lease | None = None
        self.waiters: list[asyncio.Future[Prediction]] | None = None  # for its end
        # The submits that wait for its record, while that is being written.
        self.submitters: list[asyncio.Future[Prediction | Standing]] | None = None

    def count(self, attempts: int) -> None:
        """So many attempts have begun."""
        self.attempt = attempts
        self.unbegun = 0

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
        )
