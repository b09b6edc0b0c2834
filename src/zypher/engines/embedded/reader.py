"""The one who reads, so that a slow disk never holds the event loop."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from zypher.engines.embedded import store
from zypher.engines.embedded.asks import FindResult, FindStanding, LoadInputs, Read
from zypher.engines.embedded.batch_thread import Answers, BatchThread
from zypher.errors import EngineUnavailable


class Reader:
    """Reads what is committed; many questions for a result become one statement."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._thread: BatchThread[Read] = BatchThread("zypher-reader", self._work)
        self.start = self._thread.start
        self.read = self._thread.give

    async def stop(self) -> None:
        await self._thread.stop()
        self._connection.close()

    def _work(self, batch: list[Read]) -> Answers:
        try:
            return _read(self._connection, batch)
        except Exception as error:  # whatever it is, whoever waits must hear of it
            problem = f"Predictions cannot be read from {self._folder} ({error}); see what ails the disk."
            return [_failure(ask, problem) for ask in batch]


def _read(connection: sqlite3.Connection, batch: list[Read]) -> list[Callable[[], None]]:
    answers: list[Callable[[], None]] = []
    finds = [ask for ask in batch if isinstance(ask, FindResult)]
    if finds:
        found = store.select_results(connection, [find.prediction_id for find in finds])
        answers.extend(partial(find.done, found.get(find.prediction_id)) for find in finds)
    for ask in batch:
        if isinstance(ask, LoadInputs):
            inputs = store.select_inputs(connection, ask.first, ask.others, ask.longest_bytes)
            answers.append(partial(ask.done, inputs))
        elif isinstance(ask, FindStanding):
            accept = ask.accept
            answers.append(partial(accept.done, store.find_standing(connection, accept)))
    return answers


def _failure(ask: Read, problem: str) -> Callable[[], None]:
    if isinstance(ask, FindStanding):
        return partial(ask.accept.done, EngineUnavailable(problem))
    return partial(ask.done, EngineUnavailable(problem))
