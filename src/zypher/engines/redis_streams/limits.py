"""The spans and bounds of this engine, as its scripts take them."""

import msgspec

from zypher.engines.redis_streams.keys import channels

_RECEIVED_BYTES = 1_048_576
_VALUE_BYTES = 536_870_912
_MOST_BYTES = 10_737_418_240
_BRIEF_MS = 60_000
_SHORTEST_SWEEP_PERIOD_S = 0.5
_LONGEST_SWEEP_PERIOD_S = 1.0


class Limits(msgspec.Struct, frozen=True):
    """What was set, and what follows from it."""

    queue_limit: int
    retention_s: float
    lease_s: float
    most_bytes: int = _MOST_BYTES  # of the inputs of one model that have not ended
    received_bytes: int = _RECEIVED_BYTES  # of the inputs that are received at once, unless it is only one
    wait_replicas: int = 0  # that have what was accepted before that is said
    value_bytes: int = _VALUE_BYTES  # the longest value that Redis keeps

    @property
    def lease_ms(self) -> int:
        return max(1, round(self.lease_s * 1000))

    @property
    def retention_ms(self) -> int:
        return max(1, round(self.retention_s * 1000))

    @property
    def brief_ms(self) -> int:
        """The retention of a prediction that is not durable."""
        return min(_BRIEF_MS, self.retention_ms)

    def ending(self, prefix: str) -> tuple[str, int, int]:
        """The first arguments of each script that may end a prediction."""
        return channels(prefix), self.retention_ms, self.brief_ms

    @property
    def sweep_period_s(self) -> float:
        """Seconds between two sweeps; at least half a second."""
        return min(_LONGEST_SWEEP_PERIOD_S, max(_SHORTEST_SWEEP_PERIOD_S, self.lease_s / 4))
