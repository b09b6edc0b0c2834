"""Waiting for what another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_AGAIN_S = 0.01


def wait_until(look: Callable[[], T | None], *, within_s: float = 20.0) -> T:
    """What `look` finds as soon as it finds something; fails when that takes longer than `within_s`."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"Nothing but {found!r} was found in {within_s} s."
        time.sleep(_LOOK_AGAIN_S)
    return found
