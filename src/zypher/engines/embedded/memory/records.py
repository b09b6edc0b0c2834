"""The contents of a journal in memory: what the tables of the one on disk hold."""

import heapq
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator

from msgspec.structs import replace

from zypher.engines.embedded.journal import (
    Accept,
    Accepted,
    End,
    FindList,
    Listed,
    LoadInputs,
    Publish,
    Refused,
    Row,
    Standing,
    Unended,
)
from zypher.engines.embedded.size_limit import SizeLimit
from zypher.engines.event_log import EventLog, size_bytes
from zypher.engines.refusals import key_reused
from zypher.errors import DataFull, IdempotencyKeyReused
from zypher.prediction import Event, FailureKind, Message, Options, Prediction, Status, without_output

_RECORD_BYTES = 1_024  # about what a prediction takes besides its input, output and events
_MOST_EXAMINED = 1_000  # records in one part of a list
_UNENDED = {Status.QUEUED, Status.RUNNING}


class _Record:
    """One prediction from its acceptance to the end of its retention."""

    __slots__ = ("end_number", "ended_us", "events", "input", "key", "message", "prediction", "read")

    def __init__(self, message: Message, key: str | None, events: EventLog | None) -> None:
        self.message = replace(message, input=b"")
        self.input = message.input  # empty once nothing needs it
        self.key = key
        self.events = events
        self.prediction: Prediction | None = None  # once it ended
        self.ended_us = 0  # by the engine clock
        self.end_number = 0  # its place in the order of ends
        self.read = False

    @property
    def is_dead(self) -> bool:
        outcome = self.prediction.outcome if self.prediction else None
        return outcome is not None and outcome.failure is not None and outcome.failure.kind is FailureKind.WORKER_LOST

    @property
    def size_bytes(self) -> int:
        outcome = self.prediction.outcome if self.prediction else None
        output_bytes = len((outcome.output if outcome else None) or b"")
        return _RECORD_BYTES + len(self.input) + output_bytes + (self.events.size_bytes if self.events else 0)

    def ended_by(self, reading_us: int) -> bool:
        return self.prediction is not None and self.ended_us <= reading_us


class Records:
    """Bounded in bytes: where there is no room, results that were read go, those that ended first first."""

    def __init__(self, limit: SizeLimit) -> None:
        self._limit = limit
        self._used_bytes = 0
        self._records: dict[int, _Record] = {}  # by row
        self._rows: list[int] = []  # ascending; some may be deleted
        self._rows_by_id: dict[str, int] = {}
        self._rows_by_key: dict[tuple[str, str], int] = {}  # by model and idempotency key
        self._ended: OrderedDict[int, None] = OrderedDict()  # rows, in the order of their ends
        self._ends = 0
        self._read: list[tuple[int, int]] = []  # a heap of end numbers and rows; some rows may be deleted

    @property
    def used_bytes(self) -> int:
        return self._used_bytes

    def accept(self, accept: Accept) -> Accepted | Refused:
        """Add predictions, all or none; of each what was accepted before, or why there is no room."""
        standing = self.find_standing(accept)
        if isinstance(standing, Exception):
            return standing
        new = [row for row, stands in zip(accept.rows, standing, strict=True) if stands is None]
        for row in new:
            for number in list(self._matching(row)):  # past its retention
                self.delete(number)
        records = [_Record(row.message, row.idempotency_key, EventLog(row.events)) for row in new]
        if not self._make_room(sum(record.size_bytes for record in records), self._limit.submit_bytes):
            return self._limit.refuse_submit()
        for row, record in zip(new, records, strict=True):
            self._add(row.row, record)
        return standing

    def find_standing(self, accept: Accept) -> Accepted | IdempotencyKeyReused:
        """Of each what an earlier submit of its id or key accepted; None for nothing, or past its retention."""
        standing: list[Standing | None] = []
        by_key: dict[str, Row] = {}  # the first of these submits with each key
        for row in accept.rows:
            found = self._standing(row, accept.kept_since_us)
            first = row if row.idempotency_key is None else by_key.setdefault(row.idempotency_key, row)
            if found is None and first is not row:
                same = first.message.input == row.message.input
                found = Standing(first.message.prediction_id) if same else key_reused()
            if isinstance(found, IdempotencyKeyReused):
                return found
            standing.append(found)
        return standing

    def publish(self, published: Publish) -> DataFull | None:
        """Add events to a prediction, or return why there is no room. An unknown row is ignored."""
        record = self._records.get(published.row)
        if record is None:
            return None
        if not self._make_room(sum(map(size_bytes, published.events)), self._limit.submit_bytes):
            return self._limit.refuse_submit()
        self._used_bytes -= record.size_bytes
        record.events = record.events or EventLog()
        record.events.add(published.attempt, published.events)
        self._used_bytes += record.size_bytes
        return None

    def find_events(self, prediction_id: str, after: int) -> list[Event]:
        """The events of a prediction above a number."""
        record = self._records.get(self._rows_by_id.get(prediction_id, 0))
        return [] if record is None or record.events is None else record.events.after(after)

    def find_list(self, wanted: FindList) -> Listed:
        """A part of a list; fewer than wanted when too many others are between them."""
        place = bisect_left(self._rows, wanted.below)
        lowest = max(0, place - _MOST_EXAMINED)
        found: list[Prediction | Unended] = []
        while place > lowest:
            place -= 1
            record = self._records.get(self._rows[place])
            if record is not None and not record.ended_by(wanted.kept_since_us) and _is_listed(record, wanted):
                ended = record.prediction
                found.append(without_output(ended) if ended else Unended(record.message.prediction_id))
                if len(found) == wanted.limit:
                    break
        return Listed(found, self._rows[place] if place > 0 else None)

    def end(self, end: End) -> DataFull | None:
        """Store an outcome, or return why there is no room. An unknown row is ignored."""
        record = self._records.get(end.row)
        if record is None:
            return None
        ended = _Record(record.message, record.key, record.events)
        ended.prediction = _prediction(record.message, end)
        ended.ended_us = end.ended.reading_us
        if record.key is not None or ended.is_dead:  # nothing else needs the input
            ended.input = record.input
        notice = None if end.notice is None else _Record(end.notice.message, None, None)
        more_bytes = ended.size_bytes - record.size_bytes + (notice.size_bytes if notice else 0)
        if not self._make_room(more_bytes, self._limit.limit_bytes):
            return self._limit.refuse_outcome()
        if end.notice is not None and notice is not None:
            self._add(end.notice.row, notice)
        self._used_bytes += ended.size_bytes - record.size_bytes
        self._ends += 1
        ended.end_number = self._ends
        self._records[end.row] = ended
        self._ended[end.row] = None
        return None

    def replay(self, row: int, options: Options) -> None:
        """Forget the outcome of a dead letter, and give it these options."""
        record = self._records.get(row)
        if record is not None and record.prediction is not None:
            self._used_bytes -= record.size_bytes
            record.prediction = None
            record.message = replace(record.message, options=options)
            self._used_bytes += record.size_bytes
            del self._ended[row]

    def delete(self, row: int) -> None:
        """Forget a prediction and its key, if there is one of this row."""
        record = self._records.pop(row, None)
        if record is None:
            return
        self._used_bytes -= record.size_bytes
        self._ended.pop(row, None)
        del self._rows_by_id[record.message.prediction_id]
        if record.key is not None:
            del self._rows_by_key[record.message.model, record.key]

    def purge(self, kept_since_us: int, limit: int) -> int:
        """Delete up to `limit` predictions that ended at this reading or before; returns how many."""
        deleted = 0
        while deleted < limit and self._ended:
            row = next(iter(self._ended))
            if not self._records[row].ended_by(kept_since_us):
                break
            self.delete(row)
            deleted += 1
        while self._read and self._read[0][1] not in self._records:
            heapq.heappop(self._read)
        return deleted

    def mark_read(self, prediction_id: str) -> None:
        """Let a result go before its retention is over; dead letters stay."""
        row = self._rows_by_id.get(prediction_id, 0)
        record = self._records.get(row)
        if record is None or record.prediction is None or record.read or record.is_dead:
            return
        record.read = True
        heapq.heappush(self._read, (record.end_number, row))

    def find_result(self, prediction_id: str, kept_since_us: int) -> Prediction | None:
        """A prediction that ended above this reading."""
        record = self._records.get(self._rows_by_id.get(prediction_id, 0))
        return None if record is None or record.ended_by(kept_since_us) else record.prediction

    def load_inputs(self, wanted: LoadInputs) -> dict[int, bytes]:
        """The inputs that there are, by row."""
        inputs = {row: self._records[row].input for row in wanted.others if row in self._records}
        small = {row: input for row, input in inputs.items() if len(input) <= wanted.longest_bytes}
        first = self._records.get(wanted.first)
        return small if first is None else {**small, wanted.first: first.input}

    def _add(self, row: int, record: _Record) -> None:
        self._used_bytes += record.size_bytes
        self._records[row] = record
        self._rows.append(row)
        self._rows_by_id[record.message.prediction_id] = row
        if record.key is not None:
            self._rows_by_key[record.message.model, record.key] = row
        if len(self._rows) > 2 * len(self._records) + _MOST_EXAMINED:
            self._rows = sorted(self._records)

    def _standing(self, row: Row, kept_since_us: int) -> Standing | IdempotencyKeyReused | None:
        for number in self._matching(row):
            record = self._records[number]
            if record.ended_by(kept_since_us):
                continue
            if record.message.prediction_id == row.message.prediction_id or record.input == row.message.input:
                return Standing(record.message.prediction_id)
            return key_reused()
        return None

    def _matching(self, row: Row) -> Iterator[int]:
        """The rows with the id or the key of a submit."""
        message, key = row.message, row.idempotency_key
        by_id = self._rows_by_id.get(message.prediction_id)
        if by_id is not None:
            yield by_id
        by_key = None if key is None else self._rows_by_key.get((message.model, key))
        if by_key is not None and by_key != by_id:
            yield by_key

    def _make_room(self, size_bytes: int, most_bytes: int) -> bool:
        """Whether there is room, after results that were read went for it."""
        if size_bytes > most_bytes:
            return False
        while self._used_bytes + size_bytes > most_bytes and self._read:
            self.delete(heapq.heappop(self._read)[1])
        return self._used_bytes + size_bytes <= most_bytes


def _prediction(message: Message, end: End) -> Prediction:
    return Prediction(
        prediction_id=message.prediction_id,
        model=message.model,
        status=end.outcome.status,
        submitted_at=message.submitted_at,
        attempt=end.attempt,
        started_at=end.started_at,
        finished_at=end.ended.date,
        outcome=end.outcome,
        options=message.options,
    )


def _is_listed(record: _Record, wanted: FindList) -> bool:
    if record.message.model != wanted.model:
        return False
    if wanted.status is None:
        return True
    ended = record.prediction
    return wanted.status in _UNENDED if ended is None else ended.status is wanted.status
