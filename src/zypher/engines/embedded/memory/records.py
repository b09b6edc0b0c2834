"""The contents of a journal in memory: what the tables of the one on disk hold."""

import heapq
from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from zypher.engines.embedded.journal import Accept, End, LoadInputs, Standing, Written
from zypher.engines.embedded.limit import Limit
from zypher.engines.refusals import key_reused
from zypher.errors import DataFull, IdempotencyKeyReused
from zypher.prediction import FailureKind, Message, Prediction

_RECORD_BYTES = 1_024  # about what a prediction takes besides its input and output


class _Record:
    """One prediction from its acceptance to the end of its retention."""

    __slots__ = ("end_number", "input", "key", "message", "prediction", "read")

    def __init__(self, message: Message, key: str | None) -> None:
        self.message = replace(message, input=b"")
        self.input = message.input  # empty once nothing needs it
        self.key = key
        self.prediction: Prediction | None = None  # once it ended
        self.end_number = 0  # its place in the order of ends
        self.read = False

    @property
    def is_dead(self) -> bool:
        outcome = self.prediction.outcome if self.prediction else None
        return outcome is not None and outcome.failure is not None and outcome.failure.kind is FailureKind.WORKER_LOST

    @property
    def size_bytes(self) -> int:
        outcome = self.prediction.outcome if self.prediction else None
        return _RECORD_BYTES + len(self.input) + len((outcome.output if outcome else None) or b"")

    def ended_by(self, instant: datetime) -> bool:
        finished_at = self.prediction.finished_at if self.prediction else None
        return finished_at is not None and finished_at <= instant


class Records:
    """Bounded in bytes: where there is no room, results that were read go, those that ended first first."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._used_bytes = 0
        self._records: dict[int, _Record] = {}  # by row
        self._rows_by_id: dict[str, int] = {}
        self._rows_by_key: dict[tuple[str, str], int] = {}  # by model and idempotency key
        self._ended: OrderedDict[int, None] = OrderedDict()  # rows, in the order of their ends
        self._ends = 0
        self._read: list[tuple[int, int]] = []  # a heap of end numbers and rows; some rows may be deleted

    def accept(self, accept: Accept) -> Written:
        """Add a prediction, or return what was accepted before or why there is no room."""
        standing = self.find_standing(accept)
        if standing is not None:
            return standing
        for row in list(self._matching(accept)):  # past its retention
            self.delete(row)
        record = _Record(accept.message, accept.idempotency_key)
        if not self._make_room(record.size_bytes, self._limit.submit_bytes):
            return self._limit.refuse_submit()
        self._used_bytes += record.size_bytes
        self._records[accept.row] = record
        self._rows_by_id[accept.message.prediction_id] = accept.row
        if record.key is not None:
            self._rows_by_key[accept.message.model, record.key] = accept.row
        return None

    def find_standing(self, accept: Accept) -> Standing | IdempotencyKeyReused | None:
        """What an earlier submit of the same id or key accepted; None for nothing, or past its retention."""
        for row in self._matching(accept):
            record = self._records[row]
            if record.ended_by(accept.kept_since):
                continue
            same_id = record.message.prediction_id == accept.message.prediction_id
            if same_id or record.input == accept.message.input:
                return Standing(record.message.prediction_id)
            return key_reused()
        return None

    def end(self, end: End) -> DataFull | None:
        """Store an outcome, or return why there is no room. An unknown row is ignored."""
        record = self._records.get(end.row)
        if record is None:
            return None
        ended = _Record(record.message, record.key)
        ended.prediction = _prediction(record.message, end)
        if record.key is not None or ended.is_dead:  # nothing else needs the input
            ended.input = record.input
        if not self._make_room(ended.size_bytes - record.size_bytes, self._limit.limit_bytes):
            return self._limit.refuse_outcome()
        self._used_bytes += ended.size_bytes - record.size_bytes
        self._ends += 1
        ended.end_number = self._ends
        self._records[end.row] = ended
        self._ended[end.row] = None
        return None

    def replay(self, row: int) -> None:
        """Forget the outcome of a dead letter."""
        record = self._records.get(row)
        if record is not None and record.prediction is not None:
            self._used_bytes -= record.size_bytes
            record.prediction = None
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

    def purge(self, kept_since: datetime, limit: int) -> int:
        """Delete up to `limit` predictions that ended at `kept_since` or before; returns how many."""
        deleted = 0
        while deleted < limit and self._ended:
            row = next(iter(self._ended))
            if not self._records[row].ended_by(kept_since):
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

    def find_result(self, prediction_id: str) -> Prediction | None:
        """A prediction that ended."""
        record = self._records.get(self._rows_by_id.get(prediction_id, 0))
        return None if record is None else record.prediction

    def load_inputs(self, wanted: LoadInputs) -> dict[int, bytes]:
        """The inputs that there are, by row."""
        inputs = {row: self._records[row].input for row in wanted.others if row in self._records}
        small = {row: input for row, input in inputs.items() if len(input) <= wanted.longest_bytes}
        first = self._records.get(wanted.first)
        return small if first is None else {**small, wanted.first: first.input}

    def _matching(self, accept: Accept) -> Iterator[int]:
        """The rows with the id or the key of a submit."""
        message, key = accept.message, accept.idempotency_key
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
        finished_at=end.finished_at,
        outcome=end.outcome,
    )
