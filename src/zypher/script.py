"""Serving a model from the script that defines it."""

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from zypher import assembly
from zypher.models.loader import is_loading, target_of
from zypher.settings import SETTINGS, resolve_keywords
from zypher.telemetry.logs import configure

_FILE = Path("zypher.toml")
_ALLOWED = {setting.name for setting in SETTINGS} - {"target", "health_port"}
_SECOND_SIGNAL = 130  # as `zypher serve` exits


def serve(model: Callable[..., object] | str, /, **settings: object) -> None:
    """Serve a function or a class until SIGINT or SIGTERM, as `zypher serve` does.

        class Detector:
            def predict(self, text: str) -> int: ...

        zypher.serve(Detector, port=8080)

    The settings are those that `zypher config` lists; what is not given comes from variables and zypher.toml. The model
    must be at the top of a file: replicas import that file, and there this function does nothing. Logging is configured
    unless the script did. Raises `ZypherError`; exits with 130 when a second signal cut the drain.
    """
    if is_loading():
        return
    values = {**settings, "target": target_of(model)}
    chosen = resolve_keywords(values, _ALLOWED | {"target"}, os.environ, _FILE)
    configures = not logging.getLogger().handlers
    if configures:
        configure(chosen.log)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        drained = assembly.serve(chosen, own_log=configures)
    finally:  # the script goes on, and Ctrl-C ends it again
        for number, handler in before.items():
            signal.signal(number, handler)
    if not drained:
        raise SystemExit(_SECOND_SIGNAL)
