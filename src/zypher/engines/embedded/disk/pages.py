"""Lists of predictions in the SQLite file, read in parts of bounded cost."""

import sqlite3

from zypher.engines.embedded.disk.statements import statement
from zypher.engines.embedded.disk.store import ended_or_lost, rows_in
from zypher.engines.embedded.journal import FindList, Listed, Lost, Unended
from zypher.prediction import Prediction, Status
from zypher.text import encodable

_MOST_EXAMINED = 1_000  # rows of all models
_UNENDED = {Status.QUEUED, Status.RUNNING}
_FEW = {Status.FAILED, Status.CANCELLED, Status.EXPIRED}  # an index has them


def select_page(connection: sqlite3.Connection, wanted: FindList) -> Listed:
    """Up to `limit` predictions, those accepted last first; fewer when too many others are between them."""
    bounds = (min(wanted.below, 2**63 - 1), _MOST_EXAMINED)
    if wanted.status in _UNENDED:
        found = connection.execute(statement("select_page_waiting"), bounds)
    elif wanted.status is not None and wanted.status in _FEW:
        found = connection.execute(statement("select_page_ended"), (*bounds, wanted.status.value))
    else:
        found = connection.execute(statement("select_page"), bounds)
    (content,) = found.fetchone()
    rows = sorted(rows_in(content), key=lambda row: row.row, reverse=True)
    model = encodable(wanted.model)
    predictions: list[Prediction | Unended] = []
    for row in rows:
        if row.model != model:
            continue
        prediction = ended_or_lost(row, None)
        listed = Unended(row.prediction_id) if isinstance(prediction, Lost) else prediction
        if wanted.status is Status.SUCCEEDED and row.status is not Status.SUCCEEDED:
            continue
        predictions.append(listed)
        if len(predictions) == wanted.limit:
            return Listed(predictions, row.row)
    return Listed(predictions, rows[-1].row if len(rows) == _MOST_EXAMINED else None)
