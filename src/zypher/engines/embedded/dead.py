"""The dead letters: which predictions lost all their replicas, and what becomes of them."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import msgspec

from zypher.clock import Clock
from zypher.engines.embedded.asks import Forget, Replay, resolve
from zypher.engines.embedded.disk import Disk
from zypher.engines.embedded.live import Live
from zypher.engines.embedded.store import DeadRow, to_instant
from zypher.errors import EngineUnavailable
from zypher.prediction import FailureKind, Prediction


class Letter(msgspec.Struct, frozen=True):
    """A dead letter, as much of it as memory keeps."""

    row: int
    prediction_id: str
    model: str
    submitted_at: datetime
    finished_at: datetime


class DeadLetters:
    """Memory says which there are, so of a replay and a purge at once one finds it gone."""

    def __init__(self, clock: Clock, live: Live, disk: Disk, retention_s: float) -> None:
        self._clock = clock
        self._live = live
        self._disk = disk
        self._retention = timedelta(seconds=retention_s)
        self._letters: dict[str, OrderedDict[str, Letter]] = {}  # by model and id, those that died first first

    def restore(self, rows: list[DeadRow]) -> None:
        """Know those that an earlier process left."""
        for row in rows:
            instants = to_instant(row.submitted_at), to_instant(row.finished_at)
            self._keep(Letter(row.row, row.prediction_id, row.model, *instants))

    def bury(self, row: int, prediction: Prediction) -> None:
        """Hear of an end that is on disk; only one that is dead is kept."""
        failure = prediction.outcome.failure if prediction.outcome else None
        if failure is not None and failure.kind is FailureKind.WORKER_LOST and prediction.finished_at is not None:
            self._keep(
                Letter(row, prediction.prediction_id, prediction.model, prediction.submitted_at, prediction.finished_at)
            )

    def of(self, model: str) -> list[str]:
        """The ids of a model's dead letters, those that died first first."""
        return list(self._kept(model))

    def count(self, model: str) -> int:
        """How many dead letters a model has: what it costs does not grow with them."""
        return len(self._kept(model))

    def models(self) -> set[str]:
        return {model for model in self._letters if self._kept(model)}

    async def replay(self, prediction_id: str) -> bool:
        """Queue it again, as new. Raises `QueueFull`, and `EngineUnavailable` when the disk does not store."""
        self._disk.recovery.check()
        letter = self._find(prediction_id)
        if letter is None:
            return False
        self._live.check_room(letter.model, 0)
        del self._letters[letter.model][prediction_id]
        return await self._written(letter, Replay, self._replayed)

    async def purge(self, prediction_id: str) -> bool:
        """Forget it and its key. Raises `EngineUnavailable` when the disk does not store."""
        self._disk.recovery.check()
        letter = self._find(prediction_id)
        if letter is None:
            return False
        del self._letters[letter.model][prediction_id]
        return await self._written(letter, Forget, self._forgotten)

    def _keep(self, letter: Letter) -> None:
        self._letters.setdefault(letter.model, OrderedDict())[letter.prediction_id] = letter

    def _keep_again(self, letter: Letter) -> None:
        """Keep one that was to go, in its old place."""
        self._keep(letter)
        in_order = sorted(self._letters[letter.model].values(), key=lambda each: each.finished_at)
        self._letters[letter.model] = OrderedDict((each.prediction_id, each) for each in in_order)

    def _kept(self, model: str) -> Mapping[str, Letter]:
        """A model's dead letters, after those were forgotten whose retention is over."""
        letters = self._letters.get(model, OrderedDict())
        while letters and self._is_over(next(iter(letters.values()))):
            letters.popitem(last=False)
        return letters

    def _find(self, prediction_id: str) -> Letter | None:
        found = (letters.get(prediction_id) for letters in self._letters.values())
        return next((letter for letter in found if letter is not None and not self._is_over(letter)), None)

    def _is_over(self, letter: Letter) -> bool:
        return letter.finished_at + self._retention <= self._clock.now()

    async def _written(self, letter: Letter, kind: type[Replay | Forget], then: Callable[[Letter], None]) -> bool:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._disk.write(kind(letter.row, partial(self._answered, letter, then, written)))
        return await written

    def _answered(
        self,
        letter: Letter,
        then: Callable[[Letter], None],
        written: asyncio.Future[bool],
        answer: EngineUnavailable | None,
    ) -> None:
        if answer is None:
            then(letter)
            resolve(written, True)
        else:
            self._keep_again(letter)
            resolve(written, answer)

    def _replayed(self, letter: Letter) -> None:
        self._live.recent.forget(letter.prediction_id)
        self._live.restore(letter.row, letter.prediction_id, letter.model, letter.submitted_at, 0)

    def _forgotten(self, letter: Letter) -> None:
        self._live.recent.forget(letter.prediction_id)
