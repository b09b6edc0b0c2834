"""What is written of predictions to the SQLite file and read from it: one function per statement."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

import msgspec

from zypher.engines.embedded.disk.statements import sizes, statement
from zypher.engines.embedded.journal import DeadLetter, End, Lost, Mark, Row, Standing, WaitingRow
from zypher.engines.refusals import key_reused
from zypher.engines.stored import to_blob, to_instant, to_microseconds, to_options
from zypher.errors import IdempotencyKeyReused
from zypher.prediction import Failure, FailureKind, Options, Outcome, Prediction, Status
from zypher.text import encodable

_Cell = str | bytes | int | float | None

# What is longer has a statement of its own. Many long ones in one statement would be held in memory twice, and a
# prepared statement keeps its last parameters until it is used again.
_LONG_BYTES = 16_384


class ResultRow(msgspec.Struct, frozen=True, array_like=True):
    """One prediction, as a statement returns it that reads many; one without a status has not ended."""

    row: int
    prediction_id: str
    model: str
    submitted_at: int
    attempt: int | None
    started_at: int | None
    finished_at: int | None
    ended_us: int | None  # by the engine clock
    status: Status | None
    run_s: float | None
    failure_kind: FailureKind | None
    failure_message: str | None
    options: str | None
    revision: str | None
    output_bytes: int = 0  # how long the output is
    output: str | None = None  # hexadecimal; None when there is none or it is long


_LAST_ROW = 2**63 - 1
_MOVED = 2**62  # added to the number of a prediction that is moved
_results = msgspec.json.Decoder(list[ResultRow])
_inputs = msgspec.json.Decoder(list[tuple[int, str]])


def insert_predictions(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    short = [row for row in rows if len(row.message.input) <= _LONG_BYTES]
    execute_rows(connection, "insert_predictions", [_prediction_cells(row) for row in short])
    for row in rows if len(short) < len(rows) else ():
        if len(row.message.input) > _LONG_BYTES:
            connection.execute(statement("insert_predictions"), _prediction_cells(row))


def replace_options(connection: sqlite3.Connection, row: int, options: Options) -> None:
    connection.execute(statement("replace_options"), (_options_cell(options), row))


def replace_waiting(connection: sqlite3.Connection, marks: Sequence[Row | Mark]) -> None:
    cells = [(mark.row, mark.attempt, _from_instant(mark.started_at), int(mark.stop_asked)) for mark in marks]
    execute_rows(connection, "replace_waiting", cells)


def delete_waiting(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    execute_rows(connection, "delete_waiting", [(row,) for row in rows])


def insert_outcomes(connection: sqlite3.Connection, ends: Sequence[End]) -> None:
    short = [end for end in ends if len(end.outcome.output or b"") <= _LONG_BYTES]
    execute_rows(connection, "insert_outcomes", [_outcome_cells(end) for end in short])
    for end in ends if len(short) < len(ends) else ():
        if len(end.outcome.output or b"") > _LONG_BYTES:
            connection.execute(statement("insert_outcomes"), _outcome_cells(end))


def purge(connection: sqlite3.Connection, kept_since_us: int, limit: int) -> int:
    """Delete up to `limit` predictions that ended at this reading or before; returns how many."""
    bounds = (kept_since_us, limit)
    connection.execute(statement("purge_marks"), bounds)
    connection.execute(statement("purge_events"), bounds)
    # The outcomes determine which predictions are deleted, so they go last.
    connection.execute(statement("purge_predictions"), bounds)
    return connection.execute(statement("purge_outcomes"), bounds).rowcount


def delete_prediction(connection: sqlite3.Connection, row: int) -> None:
    connection.execute(statement("delete_prediction"), (row,))
    connection.execute(statement("delete_events"), (row,))
    delete_outcome(connection, row)


def delete_outcome(connection: sqlite3.Connection, row: int) -> None:
    connection.execute(statement("delete_mark"), (row,))
    connection.execute(statement("delete_outcome"), (row,))


def mark_read(connection: sqlite3.Connection, prediction_ids: Sequence[str]) -> None:
    """Note that a client was given these results."""
    execute_rows(connection, "mark_read", [(encodable(prediction_id),) for prediction_id in prediction_ids])


def purge_read(connection: sqlite3.Connection, limit: int) -> int:
    """Delete up to `limit` predictions whose results were read, those that ended first first; returns how many."""
    # The marks determine which predictions are deleted, and the outcomes whether a mark still holds: they go last.
    connection.execute(statement("purge_read_events"), (limit,))
    connection.execute(statement("purge_read_predictions"), (limit,))
    connection.execute(statement("purge_read_outcomes"), (limit,))
    return connection.execute(statement("purge_read_marks"), (limit,)).rowcount


def write_probe(connection: sqlite3.Connection) -> None:
    connection.execute(statement("write_probe"))


def find_standing(
    connection: sqlite3.Connection, row: Row, kept_since_us: int
) -> Standing | IdempotencyKeyReused | None:
    """What stands for this submit, by its id or its key; None for nothing, or for what is past its retention."""
    found = connection.execute(statement("select_standing"), _standing_cells(row, kept_since_us)).fetchall()
    for _, prediction_id, same_input, is_over in found:  # the one with its id first
        if not is_over:
            return Standing(str(prediction_id)) if same_input else key_reused()
    return None


def delete_forgotten(connection: sqlite3.Connection, row: Row, kept_since_us: int) -> None:
    """Delete what has this submit's id or key and is past its retention."""
    cells = _standing_cells(row, kept_since_us)
    for number, _, _, is_over in connection.execute(statement("select_standing"), cells).fetchall():
        if is_over:
            delete_prediction(connection, int(number))


def rows_in(content: str) -> list[ResultRow]:
    """The rows that a statement returns as one. Raises `msgspec.MsgspecError`."""
    return _results.decode(content)


def is_over(row: ResultRow, kept_since_us: int) -> bool:
    """Whether it ended at this reading of the engine clock or before."""
    return row.ended_us is not None and row.ended_us <= kept_since_us


def select_results(
    connection: sqlite3.Connection, prediction_ids: Sequence[str], kept_since_us: int
) -> dict[str, Prediction | Lost]:
    """Those of the predictions that were accepted, by id; one without an end is lost unless it waits.

    What ended at `kept_since_us` or before is left out.
    """
    found: dict[str, Prediction | Lost] = {}
    remaining = iter(prediction_ids)
    for size in sizes(len(prediction_ids)):
        ids = [encodable(prediction_id) for prediction_id in islice(remaining, size)]
        (rows,) = connection.execute(statement("select_results", size), (_LONG_BYTES, *ids)).fetchone()
        for row in rows_in(rows):
            if not is_over(row, kept_since_us):
                found[row.prediction_id] = ended_or_lost(row, _output(connection, row))
    return found


def select_inputs(
    connection: sqlite3.Connection, first: int, others: Sequence[int], longest_bytes: int
) -> dict[int, bytes]:
    """The input of `first`, and those of the others that are not longer than `longest_bytes`, by row."""
    bounds = (msgspec.json.encode(others).decode(), longest_bytes)
    (rows,) = connection.execute(statement("select_inputs"), bounds).fetchone()
    inputs = {row: bytes.fromhex(content) for row, content in _inputs.decode(rows)}
    if first not in inputs:
        inputs.update((first, bytes(input)) for (input,) in connection.execute(statement("select_input"), (first,)))
    return inputs


def find_lost(connection: sqlite3.Connection, prediction_id: str) -> Lost | None:
    """A prediction whose row or end cannot be read, by what the index of the ids says; None: it was never accepted."""
    found = connection.execute(statement("select_number"), (encodable(prediction_id),)).fetchone()
    return None if found is None else Lost(prediction_id)


def select_input(connection: sqlite3.Connection, row: int, longest_bytes: int | None) -> bytes | None:
    """One input, of any size with None; None for one that is longer or not there."""
    name, bounds = ("select_input", (row,)) if longest_bytes is None else ("select_short_input", (row, longest_bytes))
    found = connection.execute(statement(name), bounds).fetchone()
    return None if found is None else bytes(found[0])


def select_next_waiting(connection: sqlite3.Connection, row: int) -> tuple[int, int, bool] | None:
    """The row above this one that has not ended, its attempts, and whether it is asked to stop."""
    found = connection.execute(statement("select_next_waiting"), (row,)).fetchone()
    return None if found is None else (int(found[0]), int(found[1]), bool(found[2]))


def select_head(connection: sqlite3.Connection, row: int) -> tuple[str, str, datetime, Options]:
    """The id, model, acceptance and options of a prediction. Raises `TypeError` when it is not there or not these."""
    *head, options, revision = connection.execute(statement("select_head"), (row,)).fetchone()
    return *_head(*head), options_of(options, revision)


def select_dead_rows(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    """The rows of the dead letters and when they died by the engine clock, those that died first first."""
    return connection.execute(statement("select_dead_rows")).fetchall()


def insert_outcome(connection: sqlite3.Connection, end: End) -> None:
    """The outcome alone: of a prediction whose other rows cannot be changed."""
    connection.execute(statement("insert_outcome"), _outcome_cells(end))


def move_prediction(connection: sqlite3.Connection, row: int) -> int | None:
    """The new number of a prediction, above all others; None when there is none of this row."""
    moved = connection.execute(statement("move_prediction"), (row,)).rowcount
    return row + _MOVED if moved else None


def insert_last_outcome(connection: sqlite3.Connection) -> None:
    """Store an outcome behind all others, to find out whether that is possible; to be undone."""
    connection.execute(
        statement("insert_outcome"), (_LAST_ROW, Status.FAILED.value, 0, None, 0, 0, 0.0, None, None, None)
    )


def find_lost_standing(connection: sqlite3.Connection, row: Row) -> Standing | None:
    """The prediction of an idempotency key by the indexes alone, where its row cannot be read."""
    _, _, _, _, _, key, _ = _prediction_cells(row)
    model = encodable(row.message.model)
    found = connection.execute(statement("select_id_by_key"), (model, key)).fetchone()
    return None if found is None else Standing(str(found[0]))


def has_prediction(connection: sqlite3.Connection, row: int) -> bool:
    return connection.execute(statement("select_head"), (row,)).fetchone() is not None


def select_waiting(connection: sqlite3.Connection) -> list[WaitingRow]:
    """All that has not ended, in order of acceptance."""
    return [
        WaitingRow(
            row,
            *_head(prediction_id, model, submitted_at),
            int(attempt),
            options_of(options, revision),
            bool(stop_asked),
        )
        for row, prediction_id, model, submitted_at, attempt, options, revision, stop_asked in connection.execute(
            statement("select_waiting")
        )
    ]


def select_dead(connection: sqlite3.Connection) -> list[DeadLetter]:
    """All dead letters, those that died first first."""
    return [
        DeadLetter(row, prediction_id, model, to_instant(submitted_at), int(ended_us), options_of(options, revision))
        for row, prediction_id, model, submitted_at, ended_us, options, revision in connection.execute(
            statement("select_dead")
        )
    ]


def select_last_row(connection: sqlite3.Connection) -> int:
    """The highest row in use, 0 for none."""
    return int(connection.execute(statement("select_last_row")).fetchone()[0])


def _head(prediction_id: object, model: object, submitted_at: object) -> tuple[str, str, datetime]:
    if isinstance(prediction_id, str) and isinstance(model, str) and isinstance(submitted_at, int):
        return prediction_id, model, to_instant(submitted_at)
    raise TypeError


def _from_instant(instant: datetime | None) -> int | None:
    return None if instant is None else to_microseconds(instant)


def execute_rows(connection: sqlite3.Connection, name: str, rows: Sequence[Sequence[_Cell]]) -> None:
    remaining = iter(rows)
    for size in sizes(len(rows)):
        cells = [cell for row in islice(remaining, size) for cell in row]
        connection.execute(statement(name, size), cells)


def _prediction_cells(row: Row) -> tuple[_Cell, ...]:
    message, key = row.message, row.idempotency_key
    return (
        row.row,
        encodable(message.prediction_id),
        encodable(message.model),
        _from_instant(message.submitted_at),
        message.input,
        None if key is None else encodable(key),
        _options_cell(message.options),
    )


def _options_cell(options: Options) -> str | None:
    return to_blob(options).decode() or None


def _standing_cells(row: Row, kept_since_us: int) -> tuple[_Cell, ...]:
    _, prediction_id, model, _, input, key, _ = _prediction_cells(row)
    return (prediction_id, input, kept_since_us, model, key)


def _outcome_cells(end: End) -> tuple[_Cell, ...]:
    outcome, failure = end.outcome, end.outcome.failure
    return (
        end.row,
        outcome.status.value,
        end.attempt,
        _from_instant(end.started_at),
        _from_instant(end.ended.date),
        end.ended.reading_us,
        outcome.run_s,
        outcome.output,
        None if failure is None else failure.kind.value,
        None if failure is None else encodable(failure.message),
    )


def _output(connection: sqlite3.Connection, row: ResultRow) -> bytes | None:
    if row.output is not None:
        return bytes.fromhex(row.output)
    if row.output_bytes == 0:
        return None
    found = connection.execute(statement("select_output"), (row.row,)).fetchone()
    return None if found is None else bytes(found[0])  # purged meanwhile, so it is past its retention


def options_of(options: str | None, revision: str | None) -> Options:
    """Equal ones are the same object; a row of an earlier version has a revision alone."""
    if options is None and revision:
        return to_options(to_blob(Options(revision=revision)))
    return to_options((options or "").encode())


def ended_or_lost(row: ResultRow, output: bytes | None) -> Prediction | Lost:
    """The end of a prediction; lost without one, unless it waits."""
    if row.status is None or row.finished_at is None:
        return Lost(row.prediction_id, row.model, to_instant(row.submitted_at))
    failure = None
    if row.failure_kind is not None:
        failure = Failure(row.failure_kind, row.failure_message or "")
    return Prediction(
        prediction_id=row.prediction_id,
        model=row.model,
        status=row.status,
        submitted_at=to_instant(row.submitted_at),
        attempt=row.attempt or 0,
        started_at=None if row.started_at is None else to_instant(row.started_at),
        finished_at=to_instant(row.finished_at),
        outcome=Outcome(row.status, output, failure, row.run_s or 0.0),
        options=options_of(row.options, row.revision),
    )
