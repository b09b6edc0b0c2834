"""What is written in one transaction: all that a batch asks for, where there is room."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress

from zypher.engines.embedded import store
from zypher.engines.embedded.asks import Accept, End, Forget, Mark, MarkRead, Probe, Purge, Replay, Write, Written
from zypher.engines.embedded.space import Space
from zypher.errors import DataFull


class Writing:
    """Of a full disk it knows nothing; of the limit of bytes it tells by the answers and by `problem`."""

    def __init__(self, connection: sqlite3.Connection, space: Space) -> None:
        self.problem: str | None = None  # why an outcome found no room, a sentence
        self.deleted = False  # whether the last batch deleted something
        self._connection = connection
        self._space = space

    def write(self, batch: Sequence[Write]) -> list[Callable[[], None]]:
        """Write all that a batch asks for, kind by kind; returns the answers in the order of the batch's kinds.

        A prediction is accepted before it is marked and marked before it ends, so this order fits every one. What was
        read comes first: where space is short, it goes.
        """
        self.deleted = any(isinstance(ask, Purge | Forget) for ask in batch)
        for ask in batch:
            if isinstance(ask, MarkRead):
                store.mark_read(self._connection, ask.prediction_ids)
        answers = self._accept([ask for ask in batch if isinstance(ask, Accept)])
        ends = [ask for ask in batch if isinstance(ask, End)]
        _mark(self._connection, batch, {end.row for end in ends})
        answers.extend(self._end(ends))
        for ask in batch:
            if isinstance(ask, Purge):
                answers.append(partial(ask.done, store.purge(self._connection, ask.kept_since, ask.limit)))
            elif isinstance(ask, Replay | Forget):
                _replay_or_forget(self._connection, ask)
                answers.append(partial(ask.done, None))
            elif isinstance(ask, Probe):
                store.write_probe(self._connection)
                self.problem = None
        return answers

    def _accept(self, accepts: Sequence[Accept]) -> list[Callable[[], None]]:
        """Accept those that there is room for."""
        fits = self._space.take_inputs(accepts)
        fitting = list(compress(accepts, fits))
        written = iter(_accept(self._connection, fitting))
        answers = [next(written) if each else self._refusal(accept) for accept, each in zip(accepts, fits, strict=True)]
        return [partial(accept.done, answer) for accept, answer in zip(accepts, answers, strict=True)]

    def _refusal(self, accept: Accept) -> Written:
        """What to answer when there is no room: what stands for it, if it came before."""
        return store.find_standing(self._connection, accept) or DataFull(
            f"{self._space.fullness}; send this one again once results were read or are past their retention."
        )

    def _end(self, ends: Sequence[End]) -> list[Callable[[], None]]:
        """Store the outcomes that there is room for."""
        if not ends:
            return []
        fits = self._space.take_outcomes(ends)
        fitting = list(compress(ends, fits))
        store.insert_outcomes(self._connection, fitting)
        store.delete_waiting(self._connection, [end.row for end in fitting])
        self.problem = None
        if all(fits):
            return [partial(end.done, None) for end in ends]
        self.problem = (
            f"{self._space.fullness}, and outcomes wait for room; read results, "
            "or start the server again with a higher max_data_mb."
        )
        no_room = DataFull(self.problem)
        return [partial(end.done, None if each else no_room) for end, each in zip(ends, fits, strict=True)]


def _replay_or_forget(connection: sqlite3.Connection, ask: Replay | Forget) -> None:
    """What becomes of a dead letter."""
    if isinstance(ask, Forget):
        store.delete_prediction(connection, ask.row)
    else:
        store.delete_outcome(connection, ask.row)
        store.replace_waiting(connection, [Mark(ask.row, 0, None)])


def _mark(connection: sqlite3.Connection, batch: Sequence[Write], ended: set[int]) -> None:
    """Write the last mark of each prediction that does not end in this batch."""
    marks = {mark.row: mark for mark in batch if isinstance(mark, Mark) and mark.row not in ended}
    store.replace_waiting(connection, list(marks.values()))


def _accept(connection: sqlite3.Connection, accepts: Sequence[Accept]) -> list[Written]:
    if not accepts:
        return []
    connection.execute("SAVEPOINT accepts")
    try:
        store.insert_predictions(connection, accepts)
        written: list[Written] = [None] * len(accepts)
        new = accepts
    except sqlite3.IntegrityError:  # an id or a key came before: find out which
        connection.execute("ROLLBACK TO accepts")
        written = [_accept_one(connection, accept) for accept in accepts]
        new = [accept for accept, answer in zip(accepts, written, strict=True) if answer is None]
    store.replace_waiting(connection, new)
    return written


def _accept_one(connection: sqlite3.Connection, accept: Accept) -> Written:
    standing = store.find_standing(connection, accept)
    if standing is None:
        store.delete_forgotten(connection, accept)
        store.insert_predictions(connection, [accept])
    return standing
