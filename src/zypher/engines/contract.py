"""The contract that every engine keeps, in four roles: for who submits, runs, serves and looks after predictions.

The gateway submits and asks, the worker receives and settles, both of them and operators use the workforce. Methods are
asyncio and safe to call from many tasks of one event loop. All of them raise
`EngineUnavailable`, and nothing else, when the engine cannot be reached, cannot store or is closed.
A caller that is cancelled leaves nothing half done: what it asked for happens or does not.
`tests/contract` holds every engine to what is said here.

A model's queue has lanes, each first in, first out: those of `PRIORITIES` are its predictions', `webhooks` is that of
notices. A notice is a prediction of its own, whose input is the id of the one that ended, as JSON.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from zypher.prediction import (
    PRIORITIES,
    Cancellation,
    Delivery,
    Event,
    Lane,
    Message,
    Outcome,
    Prediction,
    Status,
    StopReason,
)
from zypher.queue_state import EngineWarning, QueueState, WorkerState

MOST_EVENT_BYTES = 262_144  # of the events of one prediction that are kept, with EVENT_BYTES for each
EVENT_BYTES = 64


class Submission(msgspec.Struct, frozen=True):
    """A message to be accepted."""

    message: Message
    idempotency_key: str | None = None  # the same model, key and input are one prediction


class Settlement(msgspec.Struct, frozen=True):
    """The outcome of a delivery's attempt."""

    delivery: Delivery
    outcome: Outcome


class Stop(msgspec.Struct, frozen=True):
    """A delivery whose attempt is to end before its time."""

    delivery: Delivery
    reason: StopReason


class Page(msgspec.Struct, frozen=True):
    """A part of a list."""

    predictions: list[Prediction]
    after: str | None  # where the next part begins; None when this is the last one


class Submissions(Protocol):
    """For who asks for predictions."""

    async def submit(self, submissions: Sequence[Submission], *, durable: bool) -> list[Prediction]:
        """Accept predictions of one model, all or none: each one's record and its place in its lane.

        When this returns with `durable`, they survive what the engine survives. Without it, an engine may keep a
        prediction in memory for as long as a caller waits and forget its result afterwards; an idempotency key and
        `notify` imply `durable`.

        May happen twice: of a `prediction_id` that was accepted before this returns what stands; without `durable` an
        engine need not look for an id whose prediction ended earlier. A second submit of the same model, key and input
        returns the first one's prediction, in any status and however full the queue is, for as long as that is kept;
        keys of different models are different.

        Raises `QueueFull`, `DataFull`, and `IdempotencyKeyReused` for a key that was used with another input, also by
        another of these submissions.
        """
        ...

    async def keep(self, message: Message) -> Prediction:
        """Make a prediction durable wherever it stands, also one that ended a moment ago and no caller was notified.

        One that the engine has forgotten is accepted anew. May happen twice. Raises as `submit`.
        """
        ...

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction | None:
        """The prediction as it stands, waiting up to `wait_s` seconds (None: without end) for its end.

        A wait ends with the engine: what is closed meanwhile returns the prediction as it stood.
        None when the id is unknown, forgotten or past its retention, which counts from the end. One whose stored data
        is lost or damaged ends as `data_lost`; one that the engine forgets while this waits is `EngineUnavailable`.
        A durable end is seen once it is stored, not before. `position` is an estimate, never below 1 while queued.
        One that is queued at its deadline ends as expired, a second later at most, and is never handed out after it.
        A date that is set on this machine meanwhile changes neither deadlines nor what is past its retention.
        """
        ...

    async def read(self, prediction_id: str) -> None:
        """Note that a client was given this result.

        Where space is short an engine may forget it before its retention is over, those that ended first before
        others; an unread result is kept. A note costs no write of its own, and may be lost in a crash.
        """
        ...

    async def cancel(self, prediction_id: str) -> Cancellation:
        """End a prediction that is queued as cancelled; of one that runs, ask its worker to stop it.

        One that was asked to stop never begins another attempt: it ends as its worker settles it, or as cancelled when
        its delivery is released or its lease ends. That survives what a durable prediction survives. May happen twice.
        """
        ...

    async def events(self, prediction_id: str, after: int = 0, wait_s: float = 0) -> list[Event] | None:
        """The events above this number, in order; waits up to `wait_s` seconds while there is none.

        Returns at once when the prediction has ended, and None when the id is unknown. Kept as long as the prediction;
        of more than `MOST_EVENT_BYTES` the oldest are forgotten, so their numbers are missing.
        """
        ...

    async def page(self, model: str, *, status: Status | None = None, limit: int = 100, after: str = "") -> Page:
        """Durable predictions, those that were accepted last first, and none twice; without their outputs.

        What it costs does not grow with their number, so a page may have fewer than `limit` though another follows.
        Notices are no part of it. `after` is that of the page before.
        """
        ...


class Deliveries(Protocol):
    """For who runs predictions."""

    async def receive(
        self, model: str, limit: int, wait_s: float, lanes: Sequence[Lane] = PRIORITIES
    ) -> list[Delivery]:
        """Up to `limit` of what is queued in these lanes, each under a lease: the first lane's first, the oldest first.

        The lanes are some of `PRIORITIES` in any order, or `webhooks` alone. Returns as soon as there is one, and an
        empty list after `wait_s` seconds; it may return fewer than wait. The lease lasts the engine's `lease_s` unless
        it is extended; then the prediction is queued again, in its old place, and the old delivery can do nothing
        more. Its attempt counts if it was begun, see `begin`.
        """
        ...

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        """The attempts of these deliveries have begun, and count from now on, whatever happens to their worker.

        Durable once this returns, for durable predictions. May happen twice; of a delivery that is no longer ours
        nothing happens. `settle` and a counted `release` imply it; an uncounted `release` takes it back.
        """
        ...

    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        """Begin the leases of these deliveries anew; those that were lost before are in `stops`."""
        ...

    async def stops(self, wait_s: float) -> list[Stop]:
        """The attempts of this process that are to end since the last call; waits up to `wait_s` seconds for one.

        One for each lease that is lost before it was settled or released, and each prediction that is cancelled while
        it runs, whichever process cancelled it: within a second, or else once its lease is extended. One caller at a
        time.
        """
        ...

    async def publish(self, delivery: Delivery, events: Sequence[Event]) -> bool:
        """Store events of this attempt, give them their numbers, and wake who waits for them.

        They survive what their prediction survives, once this returns.
        False, and nothing happens, when the delivery is no longer ours. Raises `DataFull`.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Store these outcomes, end the deliveries, wake the callers that wait; for each whether it counts.

        False, and nothing happens, when the delivery is no longer ours: its lease ended, it was settled or released.
        A durable outcome is stored when this returns; a crash before that means another attempt. While the engine
        cannot store, this waits until it can; the outcomes are stored even if the caller is cancelled meanwhile.
        """
        ...

    async def release(self, delivery: Delivery, *, counted: bool, delay_s: float = 0) -> bool:
        """Give the delivery back: queued again in its old place, at the earliest in `delay_s` seconds.

        `counted` says whether the attempt counts; if not, the next one has its number. One that is delayed and not
        counted was not tried: it is as if it had not been handed out.
        False, and nothing happens, when the delivery is no longer ours.
        """
        ...


class Workforce(Protocol):
    """For who serves models."""

    async def announce(self, presence: WorkerState) -> None:
        """Say what this worker is. Holds for one lease, or not at all when it is `gone`; the last word counts.

        The card of a worker that announces it for the first time is kept as the model's, in place of the one
        before, until `forget`: workers with other schemas are another revision, and several may live. A card is
        stored no later than the next prediction that is accepted.
        """
        ...

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        """A model's queue and workers at this moment, by its name.

        Without a model, of each that is known or that workers announce, that predictions wait for or that dead letters
        are of, sorted.
        """
        ...

    def warnings(self) -> tuple[EngineWarning, ...]:
        """What is amiss with the engine itself, one of each kind, as of a minute ago at most. Never raises."""
        ...


class Operations(Protocol):
    """For operators."""

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        """Up to `limit` dead letters, those that died first first.

        A dead letter is a durable prediction that failed with `worker_lost`: every attempt took its replica with it.
        It keeps its input, and it is one until it is replayed, purged or past its retention.
        """
        ...

    async def replay(self, prediction_id: str) -> bool:
        """Queue a dead letter again, under its id and behind all others; its attempts count from 1.

        Its events stay, and the numbers of those that follow go on. Its deadline does not count any more.
        False, and nothing happens, when it is no dead letter. Raises `QueueFull` and `DataFull`.
        """
        ...

    async def purge(self, prediction_id: str) -> bool:
        """Forget a dead letter and its idempotency key. False, and nothing happens, when it is none."""
        ...

    async def forget(self, model: str) -> bool:
        """Cancel what waits of the model, and forget its card and its pause; False when there is no card of it.

        Its results and dead letters stay. Raises `ModelInUse`, and nothing happens, while workers announce it or one of
        its predictions runs; and, once what is durable was cancelled, while others wait, or notices.
        """
        ...

    async def pause(self, model: str, *, paused: bool) -> None:
        """Accept predictions of this model and hand none out, until it is no longer paused; what runs goes on.

        Notices are handed out. Survives what a durable prediction survives.
        """
        ...


class Engine(Submissions, Deliveries, Workforce, Operations, Protocol):
    """All four roles."""

    async def open(self) -> None:
        """Begin. What was accepted before is still there: queued, or leased by another process that lives.

        Raises `EngineError`.
        """
        ...

    async def close(self) -> None:
        """End, storing what was given; a caller that still waits gets `EngineUnavailable`. May happen twice."""
        ...
