"""What the dashboard, the alerts and the autoscaler ask Prometheus for is what the service exports."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.source import ROOT
from zypher.prediction import Message, Outcome, Status
from zypher.queue_state import QueueState, WorkerState
from zypher.telemetry.metrics import Metrics

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ALERTS = ROOT / "deploy/observe/alerts.yml"
DASHBOARD = ROOT / "deploy/observe/grafana/dashboards/zypherai.json"
SCALER = ROOT / "deploy/helm/zypherai/templates/worker-autoscaler.yaml"


def exported() -> dict[str, set[str]]:
    """The labels of every series that servers and workers export, by its name."""
    metrics = Metrics()
    metrics.submitted("m", durable=True)
    metrics.refused("QueueFull")
    metrics.attempt_lost("m")
    metrics.received(Message("id", "m", b"1", NOW), NOW)
    metrics.settled("m", Outcome(Status.SUCCEEDED, output=b"1", run_s=2.0))
    metrics.queues({"m": QueueState(1, 1, NOW, None, 10, (WorkerState("w", "m", None, 1, 1, 1),))}, NOW)
    metrics.warnings([])
    samples = [each for family in text_string_to_metric_families(metrics.page()[0].decode()) for each in family.samples]
    return {each.name: set(each.labels) for each in samples}


def queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def asked_for(query: str) -> dict[str, set[str]]:
    """The labels that a query chooses by, for each series that it names."""
    named = re.findall(r"\b(zypher_\w+)(?:\{([^}]*)\})?", query)
    return {name: set(re.findall(r"(\w+)\s*=~?", chosen)) for name, chosen in named}


@pytest.mark.parametrize("query", [*queries(), *(str(alert["expr"]) for alert in alerts()), SCALER.read_text()])
def test_a_query_matches_its_series(query: str) -> None:
    known = exported()
    asked = asked_for(query)
    assert asked
    assert set(asked) <= set(known)
    assert {name: labels - known[name] for name, labels in asked.items() if labels - known[name]} == {}


def test_an_alert_reports_what_is_wrong_and_what_to_do() -> None:
    assert alerts()
    for alert in alerts():
        assert set(alert) == {"alert", "expr", "for", "labels", "annotations"}
        assert alert["labels"]["severity"] in {"warning", "critical"}
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}
        page, _, anchor = alert["annotations"]["runbook"].partition("#")
        headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_the_documentation_lists_every_alert() -> None:
    documented = re.findall(r"^\| `(Zypher\w+)` \| (\w+) \|", (ROOT / "docs/operating.md").read_text(), re.MULTILINE)
    assert documented == [(alert["alert"], alert["labels"]["severity"]) for alert in alerts()]


def test_the_dashboard_shows_what_an_operator_looks_for() -> None:
    shown = {name for query in queries() for name in asked_for(query)}
    assert {
        "zypher_queue_depth",
        "zypher_prediction_waiting_seconds_bucket",
        "zypher_prediction_running_seconds_bucket",
        "zypher_attempts_lost_total",
        "zypher_predictions_settled_total",
        "zypher_replicas_ready",
    } <= shown
