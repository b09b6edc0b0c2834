"""Whether a prediction may be accepted, and whether the server is ready."""

import msgspec
import pytest

from zypher.errors import Draining, EngineUnavailable, NoReplica, Refused
from zypher.gateway.admission import admit, unready
from zypher.presence import Depth, ModelCard, Presence

CARD = ModelCard("m", "", {}, {}, {}, 1)
READY = Presence("w", "m", CARD, replicas=1, ready_replicas=1, slots=1)
RESTARTING = msgspec.structs.replace(READY, ready_replicas=0, slots=0)
BROKEN = msgspec.structs.replace(RESTARTING, problem="setup raised ValueError: no weights")


def depth(*presences: Presence, problem: str | None = None) -> Depth:
    return Depth(queued=0, running=0, oldest_queued_at=None, run_s=None, limit=10, presences=presences, problem=problem)


def test_a_ready_replica_takes_work() -> None:
    assert admit(CARD, depth(READY), draining=False, durable=True) is CARD
    assert unready(CARD, depth(READY), draining=False) == ()


def test_a_replica_that_is_being_restarted_is_waited_for_but_not_ready() -> None:
    assert admit(CARD, depth(RESTARTING), draining=False, durable=True) is CARD
    assert [str(problem) for problem in unready(CARD, depth(RESTARTING), draining=False)] == ["No replica is ready."]


def test_one_broken_replica_beside_a_ready_one_is_no_reason_to_refuse() -> None:
    assert admit(CARD, depth(BROKEN, READY), draining=False, durable=True) is CARD


@pytest.mark.parametrize(
    ("card", "seen", "draining", "kind", "words"),
    [
        (CARD, depth(READY), True, Draining, "stopping"),
        (None, depth(), False, NoReplica, "has loaded"),
        (CARD, depth(), False, NoReplica, "No worker"),
        (CARD, depth(BROKEN), False, NoReplica, "no weights"),
        (CARD, depth(READY, problem="disk full"), False, EngineUnavailable, "disk full"),
    ],
)
def test_refused_with_the_reason(
    card: ModelCard | None, seen: Depth, draining: bool, kind: type[Refused], words: str
) -> None:
    refused = admit(card, seen, draining=draining, durable=True)

    assert isinstance(refused, kind)
    assert words in str(refused)
    assert refused.retry_after_s >= 1
    problems = unready(card, seen, draining=draining)
    assert problems
    assert words in str(problems[0])


def test_a_full_disk_does_not_concern_what_needs_none() -> None:
    assert admit(CARD, depth(READY, problem="disk full"), draining=False, durable=False) is CARD


def test_a_worker_that_drains_takes_no_work() -> None:
    leaving = msgspec.structs.replace(READY, draining=True)

    refused = admit(CARD, depth(leaving), draining=False, durable=True)
    assert isinstance(refused, NoReplica)
    assert "No worker" in str(refused)
    assert unready(CARD, depth(leaving), draining=False)
    assert admit(CARD, depth(leaving, READY), draining=False, durable=True) is CARD
    assert unready(CARD, depth(leaving, READY), draining=False) == ()
