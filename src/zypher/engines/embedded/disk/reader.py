"""The thread that reads, so that a slow disk never holds the event loop."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from zypher.engines.embedded.disk import store
from zypher.engines.embedded.disk.batch_thread import BatchThread, Callbacks
from zypher.engines.embedded.journal import FindResult, FindStanding, LoadInputs, Read
from zypher.errors import EngineUnavailable


class Reader:
    """Reads what is committed; many reads of a result become one statement."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._thread: BatchThread[Read] = BatchThread("zypher-reader", self._work)
        self.start = self._thread.start
        self.read = self._thread.submit

    async def stop(self) -> None:
        await self._thread.stop()
        self._connection.close()

    def _work(self, batch: list[Read]) -> Callbacks:
        try:
            return _read(self._connection, batch)
        except Exception as error:  # of any kind: it is the result of every operation
            problem = f"Predictions cannot be read from {self._folder} ({error}); check the disk."
            return [_failure(operation, problem) for operation in batch]


def _read(connection: sqlite3.Connection, batch: list[Read]) -> list[Callable[[], None]]:
    callbacks: list[Callable[[], None]] = []
    finds = [operation for operation in batch if isinstance(operation, FindResult)]
    if finds:
        found = store.select_results(connection, [find.prediction_id for find in finds])
        callbacks.extend(partial(find.done, found.get(find.prediction_id)) for find in finds)
    for operation in batch:
        if isinstance(operation, LoadInputs):
            inputs = store.select_inputs(connection, operation.first, operation.others, operation.longest_bytes)
            callbacks.append(partial(operation.done, inputs))
        elif isinstance(operation, FindStanding):
            accept = operation.accept
            callbacks.append(partial(accept.done, store.find_standing(connection, accept)))
    return callbacks


def _failure(operation: Read, problem: str) -> Callable[[], None]:
    if isinstance(operation, FindStanding):
        return partial(operation.accept.done, EngineUnavailable(problem))
    return partial(operation.done, EngineUnavailable(problem))
