"""How predictions ended, one by its id or many in a list."""

import asyncio
from functools import partial

from zypher.clock import Clock
from zypher.engines.contract import Page
from zypher.engines.embedded.engine_clock import EngineClock
from zypher.engines.embedded.journal import (
    DATA_LOST,
    FindList,
    FindResult,
    Journal,
    Listed,
    Lost,
    Unended,
    all_written,
    resolve,
)
from zypher.engines.embedded.memory.entry import Stage
from zypher.engines.embedded.memory.predictions import Predictions
from zypher.engines.embedded.memory.recent import Ended
from zypher.prediction import Lane, Prediction, Status, without_output

_ABOVE_ALL = 2**63 - 1
_MOST_DIGITS = 19


class Results:
    """The journal has them; memory has those of the last moments, and how those stand that have not ended."""

    def __init__(self, clock: Clock, engine_clock: EngineClock, predictions: Predictions, journal: Journal) -> None:
        self._clock = clock
        self._engine_clock = engine_clock
        self._predictions = predictions
        self._journal = journal

    async def get(self, prediction_id: str) -> Prediction | None:
        """A prediction that has ended; None when it is unknown or past its retention."""
        if (recent := self.recent(prediction_id)) is not None:
            return recent.prediction
        found = await self._find(prediction_id)
        return await self._get_lost(prediction_id) if isinstance(found, Lost) else found

    def recent(self, prediction_id: str) -> Ended | None:
        """A prediction that ended a moment ago; memory forgets it here once it is past its retention."""
        recent = self._predictions.recent.get(prediction_id)
        if recent is not None and recent.ended.reading_us <= self._engine_clock.kept_since_us():
            self._predictions.recent.forget(prediction_id)
            return None
        return recent

    async def page(self, model: str, status: Status | None, limit: int, after: str) -> Page:
        """Keeps the contract of `Submissions.page`."""
        found: asyncio.Future[Listed] = asyncio.get_running_loop().create_future()
        kept_since_us = self._engine_clock.kept_since_us()
        done = partial(resolve, found)
        self._journal.read(FindList(model, status, max(1, limit), _place(after), kept_since_us, done))
        listed = await found
        now = [await self._at_present(each) for each in listed.predictions]
        page = [each for each in now if each is not None and status in {None, each.status}]
        return Page(page, None if listed.after is None else str(listed.after))

    async def _at_present(self, listed: Prediction | Unended) -> Prediction | None:
        """A prediction of a list as it stands; None for a notice, and for one whose retention ended just now."""
        if isinstance(listed, Prediction):
            prediction = listed
        elif (entry := self._predictions.entries.get(listed.prediction_id)) is not None:
            prediction = self._predictions.state(entry)
        else:
            prediction = await self.get(listed.prediction_id)
        if prediction is None or prediction.options.lane is Lane.WEBHOOKS:
            return None
        return without_output(prediction)

    async def _find(self, prediction_id: str) -> Prediction | Lost | None:
        """What the journal has of a prediction that does not wait."""
        found: asyncio.Future[Prediction | Lost | None] = asyncio.get_running_loop().create_future()
        self._journal.read(FindResult(prediction_id, self._engine_clock.kept_since_us(), partial(resolve, found)))
        return await found

    async def _get_lost(self, prediction_id: str) -> Prediction | None:
        """What the journal has without an end: lost, unless it begins to wait now; None until it is accepted."""
        await all_written(self._journal)  # its acceptance, its replay or its end may be among that
        entry = self._predictions.entries.get(prediction_id)
        if entry is not None:
            return None if entry.stage is Stage.ACCEPTING else self._predictions.state(entry)
        lost = await self._find(prediction_id)
        if not isinstance(lost, Lost):
            return lost
        now = self._clock.now()
        submitted_at = lost.submitted_at or now
        return Prediction(prediction_id, lost.model, Status.FAILED, submitted_at, finished_at=now, outcome=DATA_LOST)


def _place(after: str) -> int:
    """The row below which a part of a list begins; above all for what is none."""
    is_place = after.isascii() and after.isdigit() and len(after) <= _MOST_DIGITS
    return min(int(after), _ABOVE_ALL) if is_place else _ABOVE_ALL
