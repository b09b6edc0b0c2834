"""The Helm chart: rendered by Helm, and held against the schemas of Kubernetes, KEDA and the Prometheus Operator."""

from collections.abc import Mapping
from typing import cast

import helm_python
import pytest
import yaml

import zypher
from tests.deploy.rendering import CHART, KUBERNETES, Tree, at, kind_of, problems, render
from tests.source import ROOT
from zypher.settings import resolve

PLAIN: Mapping[str, object] = {"engine": {"url": "redis://:password@redis:6379/0"}}
FULL: Mapping[str, object] = {
    "image": {"repository": "registry.example/digits", "tag": "7"},
    "imagePullSecrets": [{"name": "registry"}],
    "engine": {"existingSecret": "redis", "secretKey": "address"},
    "model": {"target": "digits.py:Digits"},
    "settings": {"lease_s": 60, "log_values": True, "queue_limit": 5000000},
    "drainTimeoutSeconds": 120,
    "server": {
        "lameDuckSeconds": 7,
        "autoscaling": {"enabled": True},
        "podDisruptionBudget": {"minAvailable": "50%"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
    "worker": {
        "modelReplicas": 2,
        "concurrency": 4,
        "autoscaling": {"enabled": True, "prometheusAddress": "http://prometheus:9090", "perSlot": 2.5},
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
}
REPLICAS_END_S = 8  # docs/operating.md
BOTH = pytest.mark.parametrize("values", [PLAIN, FULL], ids=["plain", "full"])


def of_kind(values: Mapping[str, object], kind: str) -> list[Tree]:
    return [each for each in render(values) if kind_of(each) == kind]


def pods(values: Mapping[str, object]) -> dict[str, Tree]:
    """The pods of an installation by their role."""
    found = [cast("Tree", at(each, "spec.template.spec")) for each in of_kind(values, "Deployment")]
    return {str(at(pod, "containers.0.name")): pod for pod in found}


def environment(pod: Tree) -> dict[str, str]:
    listed = cast("list[Tree]", at(pod, "containers.0.env"))
    return {str(each["name"]): str(each.get("value", "redis://redis")) for each in listed}


@BOTH
def test_helm_lints_without_warnings(values: Mapping[str, object]) -> None:
    report = helm_python.lint(CHART, dict(values), strict=True)
    assert report["errors"] == []
    assert [each["error"] for each in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@BOTH
def test_every_object_fits_its_schema(values: Mapping[str, object], kubernetes: str) -> None:
    assert {kind_of(each): problem for each in render(values) if (problem := problems(each, kubernetes))} == {}


def test_an_unknown_field_is_found() -> None:
    for each in render(FULL):
        cast("Tree", each["spec"])["replica"] = 1
        assert problems(each, KUBERNETES[1])


def test_what_is_asked_for_is_made() -> None:
    plain = {"Deployment", "PodDisruptionBudget", "Secret", "Service"}
    assert {kind_of(each) for each in render(PLAIN)} == plain
    full = plain - {"Secret"} | {"HorizontalPodAutoscaler", "PrometheusRule", "ScaledObject", "ServiceMonitor"}
    assert {kind_of(each) for each in render(FULL)} == full


def test_the_alerts_are_those_of_the_compose_file() -> None:
    (rule,) = of_kind(FULL, "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy/observe/alerts.yml").read_text())


def test_only_the_autoscaler_sets_the_replica_count() -> None:
    assert [at(each, "spec.replicas") for each in of_kind(PLAIN, "Deployment")] == [2, 1]
    assert [at(each, "spec.replicas") for each in of_kind(FULL, "Deployment")] == [None, None]


@BOTH
def test_a_pod_has_time_to_drain(values: Mapping[str, object]) -> None:
    for pod in pods(values).values():
        drain_s = int(environment(pod)["ZYPHER_DRAIN_TIMEOUT_S"])
        lame_duck_s = int(environment(pod).get("ZYPHER_LAME_DUCK_S", "0"))
        assert cast("int", pod["terminationGracePeriodSeconds"]) > max(drain_s, lame_duck_s) + REPLICAS_END_S


def test_a_lame_duck_may_be_longer_than_the_drain() -> None:
    pod = pods({**PLAIN, "drainTimeoutSeconds": 1, "server": {"lameDuckSeconds": 60}})["server"]
    assert pod["terminationGracePeriodSeconds"] == 70


def test_a_server_leaves_load_balancers_time() -> None:
    found = {role: environment(pod).get("ZYPHER_LAME_DUCK_S") for role, pod in pods(PLAIN).items()}
    assert found == {"server": "5", "worker": None}
    assert environment(pods(FULL)["server"])["ZYPHER_LAME_DUCK_S"] == "7"
    assert at(pods(FULL)["server"], "containers.0.lifecycle") is None


def test_a_new_pod_is_ready_before_an_old_one_ends() -> None:
    for each in of_kind(PLAIN, "Deployment"):
        assert at(each, "spec.strategy.rollingUpdate") == {"maxSurge": 1, "maxUnavailable": 0}
    no_device_free = {"maxSurge": 0, "maxUnavailable": "25%"}
    workers = of_kind({**PLAIN, "worker": {"rollingUpdate": no_device_free}}, "Deployment")[1]
    assert at(workers, "spec.strategy.rollingUpdate") == no_device_free


@BOTH
def test_a_pod_may_do_next_to_nothing(values: Mapping[str, object]) -> None:
    for pod in pods(values).values():
        assert at(pod, "securityContext.runAsNonRoot") is True
        assert at(pod, "securityContext.seccompProfile.type") == "RuntimeDefault"
        assert pod["automountServiceAccountToken"] is False
        assert at(pod, "containers.0.securityContext") == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@BOTH
def test_a_pod_is_asked_for_its_health(values: Mapping[str, object]) -> None:
    for role, pod in pods(values).items():
        ready = "/healthz/ready" if role == "server" else "/healthz/ready?run"
        assert at(pod, "containers.0.livenessProbe.httpGet") == {"path": "/healthz/live", "port": "http"}
        assert at(pod, "containers.0.readinessProbe.httpGet") == {"path": ready, "port": "http"}
    assert at(pods(values)["worker"], "containers.0.startupProbe.httpGet.path") == "/healthz/ready?run"


def test_workers_may_scale_to_zero() -> None:
    scaling = {"enabled": True, "prometheusAddress": "http://prometheus:9090", "minReplicas": 0}
    (scaler,) = of_kind({**PLAIN, "worker": {"autoscaling": scaling}}, "ScaledObject")
    assert at(scaler, "spec.minReplicaCount") == 0


def test_the_command_understands_its_environment() -> None:
    for pod in pods(FULL).values():
        settings = resolve({}, environment(pod), None).settings
        assert (settings.engine.lease_s, settings.engine.queue_limit, settings.log.values) == (60, 5_000_000, True)
        assert settings.worker.drain_timeout_s == 120
    worker = resolve({}, environment(pods(FULL)["worker"]), None).settings.worker
    assert (worker.replicas, worker.concurrency) == (2, 4)


def test_the_password_stands_in_a_secret_only() -> None:
    assert {kind_of(each) for each in render(PLAIN) if "password" in str(each)} == {"Secret"}


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "engine.url"),
        ({"engine": {"url": "http://redis"}}, "url"),
        ({**PLAIN, "workers": {}}, "workers"),
        ({**PLAIN, "image": {"tag": "latest"}}, "tag"),
        ({**PLAIN, "settings": {"port": 80}}, "port"),
        ({**PLAIN, "settings": {"lame_duck_s": 1}}, "lame_duck_s"),
        ({**PLAIN, "worker": {"rollingUpdate": {"maxSurge": "1"}}}, "maxSurge"),
        ({**PLAIN, "worker": {"autoscaling": {"minReplicas": -1}}}, "minReplicas"),
        ({**PLAIN, "server": {"autoscaling": {"minReplicas": 0}}}, "minReplicas"),
        ({**PLAIN, "worker": {"autoscaling": {"enabled": True}}}, "prometheusAddress"),
    ],
)
def test_wrong_values_are_refused(values: Mapping[str, object], word: str) -> None:
    with pytest.raises(helm_python.HelmError, match=word):
        render(values)


def test_the_chart_is_of_this_version() -> None:
    with helm_python.Chart.load(CHART) as chart:
        assert chart.metadata["appVersion"] == chart.version == zypher.__version__
