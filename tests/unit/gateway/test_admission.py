"""Whether a prediction may be accepted, and whether the server is ready."""

import msgspec
import pytest

from zypher.errors import Draining, EngineUnavailable, NoReplica, Unavailable
from zypher.gateway.admission import admit, unready
from zypher.model_card import ModelCard
from zypher.queue_state import QueueState, WorkerState

CARD = ModelCard("m", "", {}, {}, {}, 1)
READY = WorkerState("w", "m", CARD, replicas=1, ready_replicas=1, slots=1)
RESTARTING = msgspec.structs.replace(READY, ready_replicas=0, slots=0)
BROKEN = msgspec.structs.replace(RESTARTING, problem="setup raised ValueError: no weights")


def queue(*workers: WorkerState, problem: str | None = None) -> QueueState:
    return QueueState(
        queued=0, running=0, oldest_queued_at=None, run_s=None, limit=10, workers=workers, problem=problem
    )


def test_a_ready_replica_takes_work() -> None:
    assert admit(CARD, queue(READY), draining=False, durable=True) is CARD
    assert unready(CARD, queue(READY), draining=False) == ()


def test_a_restarting_replica_is_not_ready_but_accepts_submissions() -> None:
    assert admit(CARD, queue(RESTARTING), draining=False, durable=True) is CARD
    assert [str(problem) for problem in unready(CARD, queue(RESTARTING), draining=False)] == ["No replica is ready."]


def test_a_failed_replica_beside_a_ready_one_refuses_nothing() -> None:
    assert admit(CARD, queue(BROKEN, READY), draining=False, durable=True) is CARD


@pytest.mark.parametrize(
    ("card", "seen", "draining", "kind", "words"),
    [
        (CARD, queue(READY), True, Draining, "stopping"),
        (None, queue(), False, NoReplica, "has loaded"),
        (CARD, queue(), False, NoReplica, "No worker"),
        (CARD, queue(BROKEN), False, NoReplica, "no weights"),
        (CARD, queue(READY, problem="disk full"), False, EngineUnavailable, "disk full"),
    ],
)
def test_refused_with_the_reason(
    card: ModelCard | None, seen: QueueState, draining: bool, kind: type[Unavailable], words: str
) -> None:
    refused = admit(card, seen, draining=draining, durable=True)

    assert isinstance(refused, kind)
    assert words in str(refused)
    assert refused.retry_after_s >= 1
    problems = unready(card, seen, draining=draining)
    assert problems
    assert words in str(problems[0])


def test_a_full_disk_does_not_concern_what_needs_none() -> None:
    assert admit(CARD, queue(READY, problem="disk full"), draining=False, durable=False) is CARD


def test_a_worker_that_drains_takes_no_work() -> None:
    leaving = msgspec.structs.replace(READY, draining=True)

    refused = admit(CARD, queue(leaving), draining=False, durable=True)
    assert isinstance(refused, NoReplica)
    assert "No worker" in str(refused)
    assert unready(CARD, queue(leaving), draining=False)
    assert admit(CARD, queue(leaving, READY), draining=False, durable=True) is CARD
    assert unready(CARD, queue(leaving, READY), draining=False) == ()
