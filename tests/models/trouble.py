"""Does what it is told to, however bad."""

import ctypes
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable

import numpy as np


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def _raise(error: BaseException) -> object:
    raise error


def _recurse(depth: int) -> int:
    return _recurse(depth + 1) + 1


def _say() -> str:
    print("a word on standard output")
    print("a word on standard error", file=sys.stderr)
    logging.getLogger("model").warning("a word in the log")
    warnings.warn("a warning", stacklevel=1)
    os.write(1, b"a word below Python\n")
    return "said"


def _ignore_the_end() -> str:
    threading.Thread(target=threading.Event().wait).start()
    return "still here"


_DEEDS: dict[str, Callable[[], object]] = {
    "well": lambda: "done",
    "ValueError": lambda: _raise(ValueError("no such colour")),
    "Unprintable": lambda: _raise(Unprintable()),
    "surrogate": lambda: _raise(ValueError("half a pair: \ud800")),
    "SystemExit": lambda: sys.exit(7),
    "KeyboardInterrupt": lambda: _raise(KeyboardInterrupt()),
    "BaseException": lambda: _raise(BaseException("the root of all")),
    "GeneratorExit": lambda: _raise(GeneratorExit("odd")),
    "RecursionError": lambda: _recurse(0),
    "NaN": lambda: {"scores": [1.0, float("nan")]},
    "infinity": lambda: float("inf"),
    "object": lambda: {"it": object()},
    "lone surrogate": lambda: "\ud800",
    "numpy": lambda: {"mean": np.float32(0.5), "counts": np.arange(3), "flag": np.bool_(1)},
    "numpy NaN": lambda: np.array([np.nan]),
    "huge": lambda: "x" * 8_000_000,
    "say": _say,
    "thread": _ignore_the_end,
    "exit": lambda: os._exit(3),
    "segfault": lambda: ctypes.string_at(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
}


class Trouble:
    concurrency = 8

    def predict(self, deed: str) -> object:
        return _DEEDS[deed]()
