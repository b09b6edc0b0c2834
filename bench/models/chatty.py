"""A model that may print a lot while it runs."""

import time

LINES_PER_S = 10_000
_TICK_S = 0.001


def run(for_s: float, talk: bool) -> int:
    """How many lines were printed, in so many seconds, at an even pace."""
    lines = 0
    began_s = time.monotonic()
    while (elapsed_s := time.monotonic() - began_s) < for_s:
        while talk and lines < elapsed_s * LINES_PER_S:
            print(f"step {lines} of many: the loss is lower than ever")
            lines += 1
        time.sleep(_TICK_S)
    return lines
