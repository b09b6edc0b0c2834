"""What a journal in memory has room for, and how soon it finds what it holds."""

from datetime import UTC, datetime

import pytest

from tests.contract.phrases import MODEL, message
from zypher.engines.embedded.engine_clock import Moment
from zypher.engines.embedded.journal import Accept, End, FindList, Row
from zypher.engines.embedded.memory.records import Records
from zypher.engines.embedded.size_limit import SizeLimit
from zypher.prediction import Event, EventKind, Outcome, Status

AT = Moment(datetime(2026, 1, 1, tzinfo=UTC), 1)
LIMIT_BYTES = 10_000
HALF = Outcome(Status.SUCCEEDED, output=bytes(2_700))
LARGE = Outcome(Status.SUCCEEDED, output=bytes(8_500))


@pytest.mark.parametrize(("notice", "fits"), [(None, True), (Row(2, message()), False)])
def test_an_outcome_needs_room_for_its_notice(notice: Row | None, fits: bool) -> None:
    records = Records(SizeLimit(LIMIT_BYTES))
    row = Row(1, message())
    assert records.accept(Accept([row], 0, lambda _: None)) == [None]
    refused = records.end(End(1, 1, None, AT, LARGE, notice, lambda _: None))
    assert (refused is None) == fits
    assert (records.find_result(row.message.prediction_id, 0) is not None) == fits


def test_of_read_results_the_one_goes_that_ended_first() -> None:
    records = Records(SizeLimit(LIMIT_BYTES))
    rows = [Row(number, message()) for number in (1, 2)]
    assert records.accept(Accept(rows, 0, lambda _: None)) == [None, None]
    for row in reversed(rows):
        assert records.end(End(row.row, 1, None, AT, HALF, None, lambda _: None)) is None
    for row in rows:
        records.mark_read(row.message.prediction_id)
    assert records.accept(Accept([Row(3, message())], 0, lambda _: None)) == [None]
    assert [records.find_result(row.message.prediction_id, 0) is None for row in rows] == [False, True]


def test_many_deleted_rows_make_a_list_no_longer() -> None:
    records = Records(SizeLimit(1_000_000))
    for number in range(1, 5_000):
        records.accept(Accept([Row(number, message())], 0, lambda _: None))
        if number > 1:
            records.delete(number)
    parts, below, found = 0, 5_000, 0
    while below is not None:
        listed = records.find_list(FindList(MODEL, None, 10, below, 0, lambda _: None))
        parts, below, found = parts + 1, listed.after, found + len(listed.predictions)
    assert found == 1
    assert parts <= 2


def test_an_unknown_prediction_has_no_events() -> None:
    records = Records(SizeLimit(LIMIT_BYTES))
    known = message()
    events = (Event(EventKind.PROGRESS, b"0.5", attempt=1, number=1),)
    assert records.accept(Accept([Row(1, known, events=events)], 0, lambda _: None)) == [None]
    assert records.find_events(known.prediction_id, 0) == [*events]
    assert records.find_events("unknown", 0) == []
