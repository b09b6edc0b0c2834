"""When to look again."""

import pytest

from zypher.gateway.admission import retry_after_s
from zypher.queue_state import QueueState, WorkerState


def queue(run_s: float | None, slots: int, running: int = 0) -> QueueState:
    worker = WorkerState("w", "m", None, replicas=1, ready_replicas=1, slots=slots)
    return QueueState(queued=9, running=running, oldest_queued_at=None, run_s=run_s, limit=10, workers=(worker,))


@pytest.mark.parametrize(
    ("position", "run_s", "slots", "running", "expected"),
    [
        (1, None, 1, 0, 1),  # nothing measured yet
        (1, 10.0, 1, 0, 10),
        (1, 10.0, 1, 1, 20),  # one is before it
        (5, 10.0, 2, 2, 40),  # seven runs over two slots
        (0, 10.0, 1, 1, 5),  # it runs: half is left
        (1, 0.001, 1, 0, 1),
        (100_000, 60.0, 1, 0, 3600),  # never longer than an hour
        (3, 2.0, 0, 0, 6),  # no replica just now: as if there were one
    ],
)
def test_seconds_until_it_may_have_ended(
    position: int, run_s: float | None, slots: int, running: int, expected: int
) -> None:
    assert retry_after_s(position, queue(run_s, slots, running)) == expected
