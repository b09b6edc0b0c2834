"""Whether a prediction may be accepted, and whether the server is ready."""

import msgspec
import pytest

from zypher.errors import Draining, EngineUnavailable, NoReplica, Unavailable
from zypher.gateway.admission import Demand, admit, revisions, unready, unready_to_run
from zypher.model_card import ModelCard
from zypher.queue_state import QueueState, WorkerState

CARD = ModelCard("m", "", {}, {}, {}, 1)
READY = WorkerState("w", "m", CARD, replicas=1, ready_replicas=1, slots=1)
RESTARTING = msgspec.structs.replace(READY, ready_replicas=0, slots=0)
BROKEN = msgspec.structs.replace(RESTARTING, problem="setup raised ValueError: no weights")


ENDED = msgspec.structs.replace(READY, draining=True)
DISK = "disk full"


def queue(*workers: WorkerState, problem: str | None = None, card: ModelCard | None = CARD) -> QueueState:
    return QueueState(
        queued=0, running=0, oldest_queued_at=None, run_s=None, limit=10, workers=workers, problem=problem, card=card
    )


def refused(
    demand: Demand, seen: QueueState, card: ModelCard | None = CARD, *, draining: bool = False
) -> Unavailable | None:
    return admit(card, seen, demand, draining=draining)


@pytest.mark.parametrize("demand", Demand)
def test_a_ready_replica_takes_work(demand: Demand) -> None:
    assert refused(demand, queue(READY)) is None
    assert unready(CARD, queue(READY), draining=False) == ()
    assert unready_to_run(CARD, queue(READY), draining=False) == ()


@pytest.mark.parametrize("seen", [queue(), queue(RESTARTING), queue(BROKEN), queue(ENDED)])
@pytest.mark.parametrize("demand", [Demand.DURABLE, Demand.OUTPUT_IN_TIME])
def test_a_known_model_accepts_without_a_replica(seen: QueueState, demand: Demand) -> None:
    assert refused(demand, seen) is None
    assert unready(CARD, seen, draining=False) == ()


@pytest.mark.parametrize(
    ("seen", "words"), [(queue(), "No worker"), (queue(ENDED), "No worker"), (queue(BROKEN), "no weights")]
)
def test_an_output_without_a_time_needs_a_replica(seen: QueueState, words: str) -> None:
    error = refused(Demand.OUTPUT, seen)

    assert isinstance(error, NoReplica)
    assert words in str(error)
    assert "no weights" not in error.public
    assert error.retry_after_s >= 1
    assert [str(problem) for problem in unready_to_run(CARD, seen, draining=False)] == [str(error)]


def test_a_starting_replica_is_waited_for_but_not_ready() -> None:
    assert refused(Demand.OUTPUT, queue(RESTARTING)) is None
    problems = unready_to_run(CARD, queue(RESTARTING), draining=False)
    assert [str(problem) for problem in problems] == ["No replica is ready."]


def test_a_failed_replica_beside_a_ready_one_refuses_nothing() -> None:
    assert refused(Demand.OUTPUT, queue(BROKEN, READY)) is None
    assert unready_to_run(CARD, queue(ENDED, READY), draining=False) == ()


@pytest.mark.parametrize("demand", Demand)
@pytest.mark.parametrize(
    ("card", "seen", "draining", "kind", "words"),
    [
        (CARD, queue(READY), True, Draining, "stopping"),
        (None, queue(card=None), False, NoReplica, "has loaded"),
    ],
)
def test_refused_whatever_is_wanted(
    demand: Demand, card: ModelCard | None, seen: QueueState, draining: bool, kind: type[Unavailable], words: str
) -> None:
    error = refused(demand, seen, card, draining=draining)

    assert isinstance(error, kind)
    assert words in str(error)
    assert error.retry_after_s >= 1
    for check in (unready, unready_to_run):
        assert [type(problem) for problem in check(card, seen, draining=draining)] == [kind]


def test_a_full_disk_concerns_only_what_must_be_durable() -> None:
    full = queue(READY, problem=DISK)
    assert isinstance(refused(Demand.DURABLE, full), EngineUnavailable)
    assert refused(Demand.OUTPUT, full) is None
    assert refused(Demand.OUTPUT_IN_TIME, full) is None
    for check in (unready, unready_to_run):
        assert [str(problem) for problem in check(CARD, full, draining=False)] == [DISK]


def test_a_stuck_replica_keeps_only_what_runs_from_being_ready() -> None:
    stuck = queue(msgspec.structs.replace(READY, stuck=("Replica 1 has not answered for 31 s.",)))
    assert unready(CARD, stuck, draining=False) == ()
    (problem,) = unready_to_run(CARD, stuck, draining=False)
    assert "31 s" in str(problem)
    assert "31 s" not in problem.public


OLD = ModelCard("m", "", {"type": "string"}, {}, {}, 1)


def test_inputs_of_every_living_revision_are_accepted() -> None:
    old, new = msgspec.structs.replace(READY, card=OLD), READY
    assert revisions(queue(old, old, new)) == (CARD, OLD)
    assert revisions(queue(new, old, card=OLD)) == (OLD, CARD)


def test_inputs_of_a_draining_revision_are_accepted_no_more() -> None:
    leaving = msgspec.structs.replace(READY, card=OLD, draining=True)
    assert revisions(queue(leaving, READY)) == (CARD,)
    assert revisions(queue(READY, card=OLD)) == (CARD,)


@pytest.mark.parametrize("workers", [(), (ENDED,), (msgspec.structs.replace(READY, card=None),)])
def test_without_a_living_revision_the_last_one_counts(workers: tuple[WorkerState, ...]) -> None:
    assert revisions(queue(*workers, card=OLD)) == (OLD,)
    assert revisions(queue(card=None)) == ()
