"""The contract that every engine keeps, in three roles, one for each room that meets here.

The gateway submits and asks, the worker receives and settles, an operator looks. Methods are
asyncio and safe to call from many tasks of one event loop. All of them raise
`EngineUnavailable`, and nothing else, when the engine cannot be reached, cannot store or is closed.
A caller that is cancelled leaves nothing half done: what it asked for happens or does not.
`tests/contract` holds every engine to what is said here.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from zypher.prediction import Delivery, Message, Outcome, Prediction
from zypher.queue_state import QueueState, WorkerState


class Settlement(msgspec.Struct, frozen=True):
    """The outcome of a delivery's attempt."""

    delivery: Delivery
    outcome: Outcome


class Submissions(Protocol):
    """What the gateway needs."""

    async def submit(self, message: Message, *, durable: bool, idempotency_key: str | None = None) -> Prediction:
        """Accept a prediction: its record and its place in the queue, or neither.

        When this returns with `durable`, the prediction survives what the engine survives.
        Without it, an engine may keep the prediction in memory for as long as a caller waits
        and forget its result afterwards; an idempotency key implies `durable`.

        May happen twice: a second submit of the same `prediction_id` returns what stands and, with
        `durable`, makes it durable wherever it stands, even if it ended a moment ago and no caller
        was notified. Without `durable` an engine need not look for an id whose prediction ended earlier. A second
        submit of the same model, key and input returns the first one's prediction, in any status and
        however full the queue is, for as long as that is kept; keys of different models are different.

        Raises `QueueFull`, `DataFull`, and `IdempotencyKeyReused` for the same key with another input.
        """
        ...

    async def get(self, prediction_id: str, wait_s: float | None = 0) -> Prediction | None:
        """The prediction as it stands, waiting up to `wait_s` seconds (None: without end) for its end.

        None when the id is unknown, forgotten or past its retention, which counts from the end. One whose stored data
        is lost or damaged ends as `data_lost`; one that the engine forgets while this waits is `EngineUnavailable`.
        A durable end is seen once it is stored, not before. `position` is an estimate, never below 1 while queued.
        """
        ...

    async def read(self, prediction_id: str) -> None:
        """Note that a client was given this result.

        Where space is short an engine may forget it before its retention is over, those that ended first before
        others; an unread result is kept. A note costs no write of its own, and may be lost in a crash.
        """
        ...

    async def cancel(self, prediction_id: str) -> bool:
        """End a prediction that is still queued as cancelled.

        False, and nothing happens, when it is running, has ended or is unknown.
        """
        ...


class Deliveries(Protocol):
    """What the worker needs."""

    async def receive(self, model: str, limit: int, wait_s: float) -> list[Delivery]:
        """Up to `limit` of the model's queued predictions, the oldest first, each under a lease.

        Returns as soon as there is one, and an empty list after `wait_s` seconds. The lease lasts the engine's
        `lease_s` unless it is extended; then the prediction is queued again, in its old place, and the old
        delivery can do nothing more. Its attempt counts if it was begun, see `begin`. It may return fewer than wait.
        """
        ...

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        """The attempts of these deliveries have begun, and count from now on, whatever happens to their worker.

        Durable once this returns, for durable predictions. May happen twice; of a delivery that is no longer ours
        nothing happens. `settle` and a counted `release` imply it; an uncounted `release` takes it back.
        """
        ...

    async def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Begin the leases of these deliveries anew; returns those that were lost before."""
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

    async def announce(self, presence: WorkerState) -> None:
        """Say what this worker is. Holds for one lease, or not at all when it is `gone`; the last word counts.

        The card of a worker that announces it for the first time is kept as the model's, in place of the one
        before, until `forget`: workers with other schemas are another revision, and several may live. A card is
        stored no later than the next prediction that is accepted.
        """
        ...


class Operations(Protocol):
    """What an operator needs."""

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        """A model's queue and workers at this moment, by its name.

        Without a model, of each that is known or that workers announce, that predictions wait for or that dead letters
        are of, sorted.
        """
        ...

    async def dead(self, model: str, limit: int) -> list[Prediction]:
        """Up to `limit` dead letters, those that died first first.

        A dead letter is a durable prediction that failed with `worker_lost`: every attempt took its replica with it.
        It keeps its input, and it is one until it is replayed, purged or past its retention.
        """
        ...

    async def replay(self, prediction_id: str) -> bool:
        """Queue a dead letter again, under its id and behind all others; its attempts count from 1.

        False, and nothing happens, when it is no dead letter. Raises `QueueFull` and `DataFull`.
        """
        ...

    async def purge(self, prediction_id: str) -> bool:
        """Forget a dead letter and its idempotency key. False, and nothing happens, when it is none."""
        ...

    async def forget(self, model: str) -> bool:
        """Forget the model's card; its results and dead letters stay. False when there is no card of it.

        Raises `ModelInUse`, and nothing happens, while workers announce it or its predictions have not ended.
        """
        ...


class Engine(Submissions, Deliveries, Operations, Protocol):
    """All three roles."""

    async def open(self) -> None:
        """Begin. What was accepted before is still there: queued, or leased by another process that lives.

        Raises `EngineError`.
        """
        ...

    async def close(self) -> None:
        """End, storing what was given; a caller that still waits gets `EngineUnavailable`. May happen twice."""
        ...
