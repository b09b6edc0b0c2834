"""Prometheus finds every server and worker, and has an answer to what the dashboard asks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import httpx
import pytest

from tests.asking import output, submit
from tests.image.conftest import WORKERS
from tests.image.docker_engine import DockerEngine, base_image
from tests.image.project import Project
from tests.polling import wait_until
from tests.prometheus import debian_prometheus
from tests.source import ROOT

SCALER = ROOT / "deploy/helm/zypherai/templates/worker-autoscaler.yaml"
ALERTS = ROOT / "deploy/observe/alerts.yml"
DASHBOARD = ROOT / "deploy/observe/grafana/dashboards/zypherai.json"
UNUSUAL = re.compile("refused|lost|dead|failed")  # no such series before the first time
TWO_SCRAPES_S = 30.0

STAND_IN = """\
FROM {base}
COPY usr/bin/prometheus usr/bin/promtool /bin/
RUN install --directory --owner 65534 --group 65534 /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
"""


class Series(TypedDict):
    value: tuple[float, str]  # instant and figure


@pytest.fixture(scope="module")
def prometheus(
    engine: DockerEngine, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of the project's Prometheus, which sees every server and worker.

    Where its image cannot be had, Debian's Prometheus runs in its place.
    """
    image = json.loads(project.compose("--profile", "*", "config", "--format", "json"))["services"]["prometheus"][
        "image"
    ]
    if engine.alone:
        _build_stand_in(engine, image, tmp_path_factory.mktemp("prometheus"))
    project.up("--no-deps", "prometheus")
    container = project.containers("prometheus")[0]
    address = engine.run("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container)
    with httpx.Client(base_url=f"http://{address}:9090/api/v1", trust_env=False) as client:
        wait_until(lambda: len(ask(client, "up == 1")) == 1 + WORKERS, within_s=TWO_SCRAPES_S)
        yield client


def _build_stand_in(engine: DockerEngine, image: str, folder: Path) -> None:
    debian_prometheus(folder)
    engine.build(image, folder, STAND_IN.format(base=base_image()))


def ask(prometheus: httpx.Client, query: str) -> list[Series]:
    """The series that a query finds. Fails when Prometheus does not understand it."""
    asked = query.replace("$model", ".*").replace("$__rate_interval", "1m")
    try:
        answer = prometheus.get("/query", params={"query": asked})
    except httpx.ConnectError:
        return []
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["result"]


def test_the_dashboard_has_something_to_show(project: Project, prometheus: httpx.Client) -> None:
    with project.client as client, project.gate("observed") as gate:
        gate.open()
        assert [output(client, submit(client, gate.input(text))) for text in "abc"] == ["A", "B", "C"]
        panels = json.loads(DASHBOARD.read_text())["panels"]
        queries = [target["expr"] for panel in panels for target in panel["targets"]]
        for query in queries:
            found = ask(prometheus, query)
            if not UNUSUAL.search(query):
                assert found or wait_until(lambda query=query: ask(prometheus, query), within_s=TWO_SCRAPES_S)


def test_every_alert_is_evaluated_and_none_fires(project: Project, prometheus: httpx.Client) -> None:
    def rules() -> list[dict[str, str]] | None:
        groups = prometheus.get("/rules").json()["data"]["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return found if found and all(rule["health"] == "ok" for rule in found) else None

    found = wait_until(rules, within_s=TWO_SCRAPES_S)
    assert [rule["name"] for rule in found] == re.findall(r"alert: (\w+)", ALERTS.read_text())
    assert [rule["name"] for rule in found if rule["state"] == "firing"] == []


def scaler_query() -> str:
    """What the chart's autoscaler asks, of the servers that Prometheus knows here."""
    query = SCALER.read_text().partition("query: >-")[2].partition("{{- end")[0]
    return re.sub(r"\{\{-? \$servers -?\}\}", 'role="server"', query)


def test_the_autoscaler_learns_how_many_workers_the_queue_would_fill(
    project: Project, prometheus: httpx.Client
) -> None:
    with project.client as client, project.gate("scaled") as gate:
        accepted = [submit(client, gate.input(f"n{number}")) for number in range(35)]  # slots of a worker: 10
        wait_until(lambda: [each["value"][1] for each in ask(prometheus, scaler_query())] == ["3.5"], within_s=60)
        gate.open()
        assert [output(client, each) for each in accepted] == [f"N{number}" for number in range(35)]
