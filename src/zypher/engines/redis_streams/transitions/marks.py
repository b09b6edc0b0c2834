"""The mark by which a Redis that came back empty or older is known: when any process saw what it keeps."""

from math import ceil
from typing import cast

from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.format import FORMAT
from zypher.engines.redis_streams.scripts import script
from zypher.engines.stored import to_instant
from zypher.queue_state import EngineWarning, WarningKind

_REPORTED_MS = 3_600_000


class Marks:
    """Each mark is compared with the one before of this process, which Redis must still have or have a later one."""

    def __init__(self, pipeline: Pipeline, prefix: str) -> None:
        self._pipeline = pipeline
        self._prefix = prefix
        self._seen_at = 0

    async def mark(self) -> EngineWarning | None:
        """Write the next mark; the last loss that any process noticed, for an hour. Raises `EngineUnavailable`."""
        answer = await self._pipeline.run(script("mark"), (self._prefix,), (FORMAT, self._seen_at, _REPORTED_MS))
        self._seen_at, lost_at, left_at = cast(tuple[int, int, int], answer)
        return EngineWarning(WarningKind.LOST_DATA, _loss(lost_at, left_at)) if lost_at else None


def _loss(lost_at: int, left_at: int) -> str:
    """`left_at` is the mark that Redis still had; both in milliseconds since 1970."""
    came_back = f"At {to_instant(1000 * lost_at):%Y-%m-%d %H:%M:%S} UTC Redis came back"
    if not left_at:
        return f"{came_back} empty: what it had kept is lost."
    return f"{came_back} older: what happened in the {ceil((lost_at - left_at) / 1000)} s before may be lost."
