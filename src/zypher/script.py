"""Serving a model from the script that defines it."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from zypher import assembly
from zypher.errors import StartError
from zypher.models.loader import is_loading, target_of
from zypher.service.lifecycle import STOPPING
from zypher.settings import SETTINGS, replace_target, resolve_keywords
from zypher.telemetry.logs import configure

_FILE = Path("zypher.toml")
_ALLOWED = {setting.name for setting in SETTINGS} - {"target", "health_port"}
_SECOND_SIGNAL = 130  # as `zypher serve` exits


def serve(model: Callable[..., object] | str, /, **settings: object) -> None:
    """Serve a function or a class until SIGINT, SIGTERM or SIGHUP, as `zypher serve` does.

        class Detector:
            def predict(self, text: str) -> int: ...

        zypher.serve(Detector, port=8080)

    The settings are those that `zypher config` lists; what is not given comes from variables and zypher.toml. The model
    must be at the top of a file: replicas import that file, and there this function does nothing. Logging is configured
    unless the script did. Raises `ZypherError`; exits with 130 when a second signal cut the drain.
    """
    if is_loading():
        return
    _check_thread()
    chosen = replace_target(resolve_keywords(settings, _ALLOWED, os.environ, _FILE), target_of(model), sys.path)
    configures = not logging.getLogger().handlers
    with _process_as_before():
        if configures:
            configure(chosen.log)
        drained = assembly.serve(chosen, own_log=configures)
    if not drained:
        raise SystemExit(_SECOND_SIGNAL)


def _check_thread() -> None:
    in_loop = True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        in_loop = False
    if in_loop or threading.current_thread() is not threading.main_thread():
        raise StartError(
            "zypher.serve needs the main thread, without an event loop that runs in it; "
            "use zypher.asgi with a server of your own, or zypher.testing.serve in a test."
        )


@contextmanager
def _process_as_before() -> Generator[None]:
    """What a server changes of its process is as it was afterwards: the script goes on."""
    signals = {number: signal.getsignal(number) for number in STOPPING}
    threshold, interval_s = gc.get_threshold(), sys.getswitchinterval()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for number, handler in signals.items():
            signal.signal(number, handler)
        gc.set_threshold(*threshold)
        gc.unfreeze()
        sys.setswitchinterval(interval_s)
        root.handlers[:] = handlers
        root.setLevel(level)
