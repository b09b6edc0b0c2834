"""What Prometheus reads."""

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from zypher.prediction import Message, Outcome, Status
from zypher.queue_state import EngineWarning, QueueState, WarningKind, WorkerState
from zypher.telemetry.metrics import Metrics

NOW = datetime(2026, 1, 2, tzinfo=UTC)
STATES = ("queued", "running", "delayed", "dead")


def samples(metrics: Metrics) -> dict[tuple[str, str], float]:
    page, content_type = metrics.page()
    assert content_type.startswith("text/plain")
    return {
        (sample.name, " ".join(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_a_life_is_counted() -> None:
    metrics = Metrics()
    metrics.submitted("m", durable=True)
    metrics.refused("QueueFull")
    metrics.attempt_lost("m")
    message = Message("id", "m", b"1", NOW - timedelta(seconds=3))
    metrics.received(message, NOW)
    metrics.settled("m", Outcome(Status.SUCCEEDED, output=b"1", run_s=2.0))

    read = samples(metrics)

    assert read["zypher_predictions_submitted_total", "m true"] == 1
    assert read["zypher_predictions_refused_total", "QueueFull"] == 1
    assert read["zypher_attempts_lost_total", "m"] == 1
    assert read["zypher_predictions_settled_total", "m succeeded"] == 1
    assert read["zypher_prediction_running_seconds_sum", "m"] == 2
    assert read["zypher_prediction_waiting_seconds_sum", "m"] == 3
    assert read["zypher_prediction_waiting_seconds_bucket", "1.0 m"] == 0
    assert read["zypher_prediction_waiting_seconds_bucket", "3.0 m"] == 1
    assert read["zypher_prediction_waiting_seconds_bucket", "+Inf m"] == 1


def test_a_date_that_goes_back_makes_no_sum_fall() -> None:
    metrics = Metrics()
    metrics.received(Message("a", "m", b"1", NOW - timedelta(seconds=3)), NOW)
    metrics.received(Message("b", "m", b"1", NOW + timedelta(days=2)), NOW)
    read = samples(metrics)
    assert read["zypher_prediction_waiting_seconds_sum", "m"] == 3
    assert read["zypher_prediction_waiting_seconds_count", "m"] == 2


def test_the_queue_of_the_moment_is_shown() -> None:
    metrics = Metrics()
    said_at = NOW - timedelta(seconds=2)
    presence = WorkerState("w", "m", None, replicas=2, ready_replicas=1, slots=4, announced_at=said_at)
    oldest_at = NOW - timedelta(seconds=9)
    metrics.queues(
        {"m": QueueState(7, 3, oldest_at, None, 10, (presence,), delayed=2, dead=1, data_bytes=5, data_limit_bytes=6)},
        NOW,
    )

    read = samples(metrics)

    states = {state: read["zypher_queue_depth", " ".join(sorted(("m", state)))] for state in STATES}
    assert states == {"queued": 5, "running": 3, "delayed": 2, "dead": 1}
    assert read["zypher_queue_oldest_seconds", "m"] == 9
    assert read["zypher_workers", "m"] == 1
    assert read["zypher_workers_silent_seconds", "m"] == 2
    assert read["zypher_replicas_ready", "m"] == 1
    assert read["zypher_slots", "m"] == 4
    assert (read["zypher_data_bytes", "m"], read["zypher_data_limit_bytes", "m"]) == (5, 6)


def test_a_model_that_is_gone_is_shown_no_more() -> None:
    metrics = Metrics()
    metrics.queues({"m": QueueState(7, 3, None, None, 10, ())}, NOW)
    metrics.queues({}, NOW)
    assert [name for name, _ in samples(metrics)] == ["zypher_log_lines_dropped_total", "zypher_build_info"]


def test_each_kind_of_warning_is_there_or_not() -> None:
    metrics = Metrics()
    assert "zypher_engine_warnings" not in {name for name, _ in samples(metrics)}  # a worker does not say
    metrics.warnings([EngineWarning(WarningKind.NOT_PERSISTENT, "It forgets.")])
    read = samples(metrics)
    assert {kind.value: read["zypher_engine_warnings", kind] for kind in WarningKind} == {
        **{kind.value: 0 for kind in WarningKind},
        "not_persistent": 1,
    }
    metrics.warnings([])
    assert samples(metrics)["zypher_engine_warnings", "not_persistent"] == 0


def test_requests_are_counted_by_route_and_status() -> None:
    metrics = Metrics()
    for status in (200, 200, 503):
        metrics.answered("POST", "/predict", status, 0.02)
    read = samples(metrics)
    assert read["zypher_http_requests_total", "/predict 200 POST"] == 2
    assert read["zypher_http_requests_total", "/predict 503 POST"] == 1
    assert read["zypher_http_request_duration_seconds_count", "/predict 200 POST"] == 2
