"""When to look again: pure arithmetic on depth and measured run time."""

import math

from zypher.presence import Depth

_LONGEST_S = 3600


def retry_after_s(position: int, depth: Depth) -> int:
    """Whole seconds until a prediction at this place may have ended, at least 1.

    `position` 0 means that it runs already: half a run is left on average.
    """
    run_s = depth.run_s or 0.0
    slots = max(1, sum(presence.slots for presence in depth.presences))
    runs = 0.5 if position == 0 else math.ceil((position + depth.running) / slots)
    return max(1, min(_LONGEST_S, math.ceil(runs * run_s)))
