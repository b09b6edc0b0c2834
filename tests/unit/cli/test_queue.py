"""What `zypher queue` draws."""

from datetime import UTC, datetime, timedelta

import pytest

from zypher.cli.dead_letters import page as dead_page
from zypher.cli.queue import page
from zypher.cli.terminal import LiveTable
from zypher.operations.overview import queue_view
from zypher.prediction import Failure, FailureKind, Outcome, Prediction, Status
from zypher.queue_state import EngineWarning, QueueState, WarningKind, WorkerState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = WorkerState("1a2b", "m", None, replicas=2, ready_replicas=1, slots=8, announced_at=NOW - timedelta(seconds=3))
DRAINING = WorkerState("3c4d", "m", None, replicas=1, ready_replicas=1, slots=4, draining=True)
BROKEN = WorkerState("5e6f", "m", None, replicas=1, ready_replicas=0, slots=0, problem="No weights.")


def depth(*workers: WorkerState, problem: str | None = None) -> QueueState:
    return QueueState(7, 3, NOW - timedelta(seconds=90), 0.25, 10, workers, problem, delayed=2, dead=1)


def test_queues_above_workers() -> None:
    assert page([queue_view("m", depth(READY, DRAINING), NOW)]) == (
        "MODEL  QUEUED  RUNNING  DELAYED  DEAD  OLDEST  RUNTIME\n"
        "m           5        3        2     1    90 s    0.2 s\n"
        "\n"
        "WORKER  MODEL  STATE     REPLICAS  SLOTS   SEEN\n"
        "1a2b    m      ready     1/2           8  3.0 s\n"
        "3c4d    m      draining  1/1           4      -"
    )


def test_a_shared_problem_is_shown_once() -> None:
    shown = page([queue_view(model, depth(BROKEN, problem="The disk is full."), NOW) for model in ("m", "n")])
    assert "not ready" in shown
    assert shown.endswith("\n\nThe disk is full.\n\nNo weights.")
    assert shown.count("The disk is full.") == 1


def test_warnings_stand_above_all_else() -> None:
    warnings = [EngineWarning(WarningKind.EVICTS, "One."), EngineWarning(WarningKind.TOO_OLD, "Two.")]
    above = "Warning: One.\n\nWarning: Two.\n\n"
    queues = [queue_view("m", depth(READY), NOW)]
    assert page(queues, warnings) == above + page(queues)
    assert page([], warnings) == above + page([])


def test_no_worker_and_no_queue_are_shown() -> None:
    assert page([queue_view("m", depth(), NOW)]).endswith("\n\nNo worker is alive.")
    assert page([]) == "No worker serves a model, and no prediction waits."


def test_the_clock_of_another_machine_may_be_ahead() -> None:
    ahead = WorkerState("w", "m", None, 1, 1, 1, announced_at=NOW + timedelta(seconds=2))
    (worker,) = queue_view("m", depth(ahead), NOW).workers
    assert worker.silent_s == 0


def test_dead_letters_for_people() -> None:
    failure = Failure(FailureKind.WORKER_LOST, "worker_lost: the process that ran it died 3 times")
    outcome = Outcome(Status.FAILED, failure=failure)
    letter = Prediction("abc", "m", Status.FAILED, NOW, attempt=3, finished_at=NOW, outcome=outcome)
    assert dead_page([letter]) == (
        "PREDICTION  MODEL  DIED                  ATTEMPTS  REASON\n"
        "abc         m      2026-01-01T00:00:00Z         3  the process that ran it died 3 times"
    )
    assert dead_page([]) == "There are no dead letters."


def test_a_live_table_is_drawn_in_its_old_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "6")
    monkeypatch.setenv("LINES", "3")
    live = LiveTable()
    live.show("one\ntwo")
    live.show("\x1b")
    assert capsys.readouterr().out == (
        "\x1b[Kone\n\x1b[Ktwo\n\x1b[J"  # what stood below is gone, too
        "\x1b[2A\x1b[K\\u001b\n\x1b[J"
    )
