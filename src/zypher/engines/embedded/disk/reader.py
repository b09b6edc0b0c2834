"""The thread that reads, so that a slow disk never holds the event loop."""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from zypher.engines.embedded.disk import event_rows, pages, store
from zypher.engines.embedded.disk.batch_thread import BatchThread, Callbacks
from zypher.engines.embedded.disk.damage import DamageLog, is_damage
from zypher.engines.embedded.disk.damage_workarounds import DamageWorkarounds
from zypher.engines.embedded.disk.database import file_of
from zypher.engines.embedded.disk.transaction import find_standing
from zypher.engines.embedded.journal import FindEvents, FindList, FindResult, FindStanding, LoadInputs, Read
from zypher.errors import EngineUnavailable


class Reader:
    """Reads what is committed; many reads of a result become one statement."""

    def __init__(self, connection: sqlite3.Connection, folder: Path) -> None:
        self._connection = connection
        self._folder = folder
        self._damage = DamageLog(file_of(connection))
        self._thread: BatchThread[Read] = BatchThread("zypher-reader", self._work)
        self.start = self._thread.start
        self.read = self._thread.submit

    async def stop(self) -> None:
        await self._thread.stop()
        self._connection.close()

    def _work(self, batch: list[Read]) -> Callbacks:
        try:
            return _read(self._connection, batch)
        except Exception:  # of any kind, and perhaps of one operation only
            return [callback for operation in batch for callback in self._read_alone(operation)]

    def _read_alone(self, operation: Read) -> Sequence[Callable[[], None]]:
        try:
            return _read(self._connection, [operation])
        except Exception as error:
            if is_damage(error):
                self._damage.report(error)
            try:
                return [_read_around(self._connection, operation, error)]
            except Exception as last:  # it is the result
                problem = f"Predictions cannot be read from {self._folder} ({last}); check the disk."
                return [_failure(operation, problem)]


def _read(connection: sqlite3.Connection, batch: list[Read]) -> list[Callable[[], None]]:
    callbacks: list[Callable[[], None]] = []
    finds = [operation for operation in batch if isinstance(operation, FindResult)]
    if finds:
        kept_since_us = max(find.kept_since_us for find in finds)  # all are read at this one moment
        found = store.select_results(connection, [find.prediction_id for find in finds], kept_since_us)
        callbacks.extend(partial(find.done, found.get(find.prediction_id)) for find in finds)
    for operation in batch:
        if isinstance(operation, LoadInputs):
            inputs = store.select_inputs(connection, operation.first, operation.others, operation.longest_bytes)
            callbacks.append(partial(operation.done, inputs))
        elif isinstance(operation, FindStanding):
            callbacks.append(partial(operation.accept.done, find_standing(connection, operation.accept)))
        elif isinstance(operation, FindEvents):
            events = event_rows.select_events(connection, operation.prediction_id, operation.after)
            callbacks.append(partial(operation.done, events))
        elif isinstance(operation, FindList):
            callbacks.append(partial(operation.done, pages.select_page(connection, operation)))
    return callbacks


def _read_around(connection: sqlite3.Connection, operation: Read, error: Exception) -> Callable[[], None]:
    """What can be read in spite of damage. Raises the error for what is none, or when nothing can."""
    if is_damage(error) and isinstance(operation, FindResult):
        return partial(operation.done, store.find_lost(connection, operation.prediction_id))
    if is_damage(error) and isinstance(operation, FindStanding):
        return partial(operation.accept.done, DamageWorkarounds(connection).find_standing(operation.accept))
    if is_damage(error) and isinstance(operation, FindEvents):
        return partial(operation.done, [])
    if is_damage(error) and isinstance(operation, FindList):
        return partial(operation.done, pages.select_readable_page(connection, operation))
    if is_damage(error) and isinstance(operation, LoadInputs):
        return partial(operation.done, _readable_inputs(connection, operation))
    raise error


def _readable_inputs(connection: sqlite3.Connection, wanted: LoadInputs) -> dict[int, bytes]:
    """The inputs, each read by itself, without those that are damaged."""
    inputs: dict[int, bytes] = {}
    for row in dict.fromkeys([wanted.first, *wanted.others]):
        try:
            input = store.select_input(connection, row, None if row == wanted.first else wanted.longest_bytes)
        except Exception as error:
            if not is_damage(error):
                raise
            continue
        if input is not None:
            inputs[row] = input
    return inputs


def _failure(operation: Read, problem: str) -> Callable[[], None]:
    if isinstance(operation, FindStanding):
        return partial(operation.accept.done, EngineUnavailable(problem))
    return partial(operation.done, EngineUnavailable(problem))
