"""The dead letters: which predictions lost all their replicas, and what becomes of them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec

from zypher.clock import Clock
from zypher.engines.embedded.disk import Disk
from zypher.engines.embedded.live import Live
from zypher.engines.embedded.operations import Forget, Replay, resolve
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
        self._letters: dict[str, Letter] = {}  # by prediction id, those that died first first

    def restore(self, rows: list[DeadRow]) -> None:
        """Know those that an earlier process left."""
        for row in rows:
            instants = to_instant(row.submitted_at), to_instant(row.finished_at)
            self._letters[row.prediction_id] = Letter(row.row, row.prediction_id, row.model, *instants)

    def bury(self, row: int, prediction: Prediction) -> None:
        """Hear of an end that is on disk; only one that is dead is kept."""
        failure = prediction.outcome.failure if prediction.outcome else None
        if failure is not None and failure.kind is FailureKind.WORKER_LOST and prediction.finished_at is not None:
            self._letters[prediction.prediction_id] = Letter(
                row, prediction.prediction_id, prediction.model, prediction.submitted_at, prediction.finished_at
            )

    def of(self, model: str) -> list[str]:
        """The ids of a model's dead letters, those that died first first."""
        kept_since = self._clock.now() - self._retention
        self._letters = {each: letter for each, letter in self._letters.items() if letter.finished_at > kept_since}
        return [each for each, letter in self._letters.items() if letter.model == model]

    def models(self) -> set[str]:
        return {letter.model for letter in self._letters.values() if self.of(letter.model)}

    async def replay(self, prediction_id: str) -> bool:
        """Queue it again, as new. Raises `QueueFull`, and `EngineUnavailable` when the disk does not store."""
        self._disk.recovery.check()
        letter = self._find(prediction_id)
        if letter is None:
            return False
        self._live.check_room(letter.model, 0)
        del self._letters[prediction_id]
        return await self._written(letter, Replay, self._replayed)

    async def purge(self, prediction_id: str) -> bool:
        """Forget it and its key. Raises `EngineUnavailable` when the disk does not store."""
        self._disk.recovery.check()
        letter = self._find(prediction_id)
        if letter is None:
            return False
        del self._letters[prediction_id]
        return await self._written(letter, Forget, self._forgotten)

    def _find(self, prediction_id: str) -> Letter | None:
        letter = self._letters.get(prediction_id)
        return letter if letter is not None and prediction_id in self.of(letter.model) else None

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
            self._letters[letter.prediction_id] = letter
            resolve(written, answer)

    def _replayed(self, letter: Letter) -> None:
        self._live.recent.forget(letter.prediction_id)
        self._live.restore(letter.row, letter.prediction_id, letter.model, letter.submitted_at, 0)

    def _forgotten(self, letter: Letter) -> None:
        self._live.recent.forget(letter.prediction_id)
