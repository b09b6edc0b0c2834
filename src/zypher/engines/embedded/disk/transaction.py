"""The operations of one batch, written within one transaction, where there is room."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress

from zypher.engines.embedded.disk import clock_row, event_rows, model_rows, store
from zypher.engines.embedded.disk.space import Space
from zypher.engines.embedded.journal import (
    Accept,
    Accepted,
    End,
    Forget,
    ForgetCard,
    KeepCard,
    Mark,
    MarkRead,
    Pause,
    Probe,
    Publish,
    Purge,
    Refused,
    Replay,
    Row,
    SetClock,
    Standing,
    Write,
)
from zypher.errors import IdempotencyKeyReused

_USUAL = (Accept, End, Mark)


class Transaction:
    """Errors of SQLite are raised; what the limit of bytes refuses is in the results and in `problem`."""

    def __init__(self, connection: sqlite3.Connection, space: Space) -> None:
        self.problem: str | None = None  # why an outcome found no room, a sentence
        self.deleted = False  # whether the last batch deleted something
        self._connection = connection
        self._space = space

    def write(self, batch: Sequence[Write]) -> list[Callable[[], None]]:
        """Write all operations of a batch, kind by kind; returns the calls of their `done`, in that order.

        A prediction is accepted before it is marked and marked before it ends, so this order fits every one. What was
        read comes first: where space is short, it goes.
        """
        others = [operation for operation in batch if not isinstance(operation, _USUAL)]
        self.deleted = any(isinstance(operation, Purge | Forget) for operation in others)
        for operation in others:
            if isinstance(operation, MarkRead):
                store.mark_read(self._connection, operation.prediction_ids)
        callbacks = self._accept([operation for operation in batch if isinstance(operation, Accept)])
        ends = [operation for operation in batch if isinstance(operation, End)]
        marks = [operation for operation in batch if isinstance(operation, Mark)]
        _mark(self._connection, marks, {end.row for end in ends})
        callbacks.extend(partial(mark.done, None) for mark in marks if mark.done is not None)
        callbacks.extend(self._publish(operation) for operation in batch if isinstance(operation, Publish))
        callbacks.extend(self._end(ends))
        for operation in others:
            if isinstance(operation, Purge):
                deleted = store.purge(self._connection, operation.kept_since_us, operation.limit)
                callbacks.append(partial(operation.done, deleted))
            elif isinstance(operation, Replay | Forget):
                _replay_or_forget(self._connection, operation)
                callbacks.append(partial(operation.done, None))
            elif isinstance(operation, KeepCard | ForgetCard | Pause):
                _write_model(self._connection, operation)
                callbacks.append(partial(operation.done, None))
            elif isinstance(operation, SetClock):
                clock_row.replace_moment(self._connection, operation.moment)
            elif isinstance(operation, Probe):
                store.write_probe(self._connection)
                self.problem = None
        return callbacks

    def _accept(self, accepts: Sequence[Accept]) -> list[Callable[[], None]]:
        """Accept those that there is room for."""
        fits = self._space.take_inputs(accepts)
        written = iter(_accept(self._connection, list(compress(accepts, fits))))
        results = [next(written) if each else self._refuse(accept) for accept, each in zip(accepts, fits, strict=True)]
        return [partial(accept.done, result) for accept, result in zip(accepts, results, strict=True)]

    def _refuse(self, accept: Accept) -> Accepted | Refused:
        """The result when there is no room: what stands for all of them, if they were accepted before."""
        standing = find_standing(self._connection, accept)
        if isinstance(standing, Exception) or None not in standing:
            return standing
        return self._space.limit.refuse_submit()

    def _publish(self, published: Publish) -> Callable[[], None]:
        """Store events, if there is room for them."""
        if not self._space.take_events(published.events):
            return partial(published.done, self._space.limit.refuse_submit())
        event_rows.insert_events(self._connection, published)
        return partial(published.done, None)

    def _end(self, ends: Sequence[End]) -> list[Callable[[], None]]:
        """Store the outcomes that there is room for."""
        if not ends:
            return []
        fits = self._space.take_outcomes(ends)
        fitting = list(compress(ends, fits))
        store.insert_outcomes(self._connection, fitting)
        store.delete_waiting(self._connection, [end.row for end in fitting])
        notices = [end.notice for end in fitting if end.notice is not None]
        store.insert_predictions(self._connection, notices)
        store.replace_waiting(self._connection, notices)
        self.problem = None
        if all(fits):
            return [partial(end.done, None) for end in ends]
        no_room = self._space.limit.refuse_outcome()
        self.problem = str(no_room)
        return [partial(end.done, None if each else no_room) for end, each in zip(ends, fits, strict=True)]


def find_standing(connection: sqlite3.Connection, accept: Accept) -> Accepted | IdempotencyKeyReused:
    """Of each submit what stands for it."""
    standing: list[Standing | None] = []
    for row in accept.rows:
        found = store.find_standing(connection, row, accept.kept_since_us)
        if isinstance(found, IdempotencyKeyReused):
            return found
        standing.append(found)
    return standing


def _replay_or_forget(connection: sqlite3.Connection, operation: Replay | Forget) -> None:
    if isinstance(operation, Forget):
        store.delete_prediction(connection, operation.row)
    else:
        store.delete_outcome(connection, operation.row)
        store.replace_options(connection, operation.row, operation.options)
        store.replace_waiting(connection, [Mark(operation.row, 0, None)])


def _write_model(connection: sqlite3.Connection, operation: KeepCard | ForgetCard | Pause) -> None:
    match operation:
        case KeepCard():
            model_rows.replace_card(connection, operation.model, operation.card)
        case ForgetCard():
            model_rows.delete_card(connection, operation.model)
        case Pause():
            model_rows.set_paused(connection, operation.model, paused=operation.paused)


def _mark(connection: sqlite3.Connection, marks: Sequence[Mark], ended: set[int]) -> None:
    """Write the last mark of each prediction that does not end in this batch."""
    last = {mark.row: mark for mark in marks if mark.row not in ended}
    store.replace_waiting(connection, list(last.values()))


def _accept(connection: sqlite3.Connection, accepts: Sequence[Accept]) -> list[Accepted | Refused]:
    if not accepts:
        return []
    connection.execute("SAVEPOINT accepts")
    try:
        _insert(connection, [row for accept in accepts for row in accept.rows])
    except sqlite3.IntegrityError:  # an id or a key was accepted before: find out which
        connection.execute("ROLLBACK TO accepts")
        return [_accept_alone(connection, accept) for accept in accepts]
    return [[None] * len(accept.rows) for accept in accepts]


def _accept_alone(connection: sqlite3.Connection, accept: Accept) -> Accepted | Refused:
    """Accept what no earlier submit stands for, all or none of one operation."""
    connection.execute("SAVEPOINT alone")
    accepted: list[Standing | None] = []
    for row in accept.rows:
        standing = store.find_standing(connection, row, accept.kept_since_us)
        if isinstance(standing, IdempotencyKeyReused):
            connection.execute("ROLLBACK TO alone")
            return standing
        if standing is None:
            store.delete_forgotten(connection, row, accept.kept_since_us)
            _insert(connection, [row])
        accepted.append(standing)
    return accepted


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    store.insert_predictions(connection, rows)
    store.replace_waiting(connection, rows)
    event_rows.insert_earlier_events(connection, rows)
