"""Reads a quantity again and again in a thread while something else goes on."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Sampler:
    """In its `with` block, `values` grows by a reading every `every_s` seconds."""

    def __init__(self, read: Callable[[], float], every_s: float) -> None:
        self.values: list[float] = []
        self._read = read
        self._every_s = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            self.values.append(self._read())
