"""Lists of predictions in the SQLite file, read in parts of bounded cost."""

import sqlite3

from zypher.engines.embedded.disk.damage import is_damage
from zypher.engines.embedded.disk.statements import statement
from zypher.engines.embedded.disk.store import ResultRow, ended_or_lost, is_over, rows_in
from zypher.engines.embedded.journal import FindList, Listed, Lost, Unended
from zypher.prediction import Prediction, Status
from zypher.text import encodable

_MOST_EXAMINED = 1_000  # rows of all models
_UNENDED = {Status.QUEUED, Status.RUNNING}
_FEW = {Status.FAILED, Status.CANCELLED, Status.EXPIRED}  # an index has them


def select_page(connection: sqlite3.Connection, wanted: FindList) -> Listed:
    """Up to `limit` predictions, those accepted last first; fewer when too many others are between them."""
    bounds = (wanted.below, _MOST_EXAMINED)
    if wanted.status in _UNENDED:
        found = connection.execute(statement("select_page_waiting"), bounds)
    elif wanted.status is not None and wanted.status in _FEW:
        found = connection.execute(statement("select_page_ended"), (*bounds, wanted.status.value))
    else:
        found = connection.execute(statement("select_page"), bounds)
    (content,) = found.fetchone()
    rows = sorted(rows_in(content), key=lambda row: row.row, reverse=True)
    predictions: list[Prediction | Unended] = []
    for row in rows:
        listed = _listed(row, wanted)
        if listed is None:
            continue
        predictions.append(listed)
        if len(predictions) == wanted.limit:
            return Listed(predictions, row.row)
    return Listed(predictions, rows[-1].row if len(rows) == _MOST_EXAMINED else None)


def select_readable_page(connection: sqlite3.Connection, wanted: FindList) -> Listed:
    """The same with each row read by itself, without those that are damaged."""
    predictions: list[Prediction | Unended] = []
    number = wanted.below
    for _ in range(_MOST_EXAMINED):
        (number,) = connection.execute(statement("select_number_below"), (number,)).fetchone()
        if number is None:
            return Listed(predictions, None)
        try:
            (content,) = connection.execute(statement("select_page"), (number + 1, 1)).fetchone()
            listed = _listed(rows_in(content)[0], wanted)
        except Exception as error:
            if not is_damage(error):
                raise
            continue
        if listed is None:
            continue
        predictions.append(listed)
        if len(predictions) == wanted.limit:
            break
    return Listed(predictions, number)


def _listed(row: ResultRow, wanted: FindList) -> Prediction | Unended | None:
    """None for a prediction that is not wanted."""
    if row.model != encodable(wanted.model) or is_over(row, wanted.kept_since_us):
        return None
    prediction = ended_or_lost(row, None)
    if isinstance(prediction, Lost):
        return Unended(row.prediction_id) if wanted.status is None or wanted.status in _UNENDED else None
    return prediction if wanted.status in {None, prediction.status} else None
