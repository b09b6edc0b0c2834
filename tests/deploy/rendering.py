"""The chart as Helm renders it, and the rules of those who take what it renders."""

from collections.abc import Mapping
from typing import cast

import helm_python
import kubernetes_validate
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

from tests.source import ROOT

CHART = ROOT / "deploy/helm/zypherai"
KUBERNETES = ("1.27", "1.37")  # the oldest that the chart allows, the newest whose schemas are at hand
FOREIGN = {"PrometheusRule": PrometheusRule, "ScaledObject": ScaledObject, "ServiceMonitor": ServiceMonitor}

Tree = dict[str, object]


def render(values: Mapping[str, object]) -> list[Tree]:
    """Every object that an installation with these values would make. Raises `HelmError`."""
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(dict(values), name="demo", namespace="models")
    texts = (text for name, text in files.items() if name.endswith(".yaml"))
    return [each for text in texts for each in yaml.safe_load_all(text) if each is not None]


def at(tree: object, path: str) -> object:
    """What stands in a tree at a dotted path, None where it does not go on."""
    for name in path.split("."):
        match tree:
            case dict():
                tree = cast("Tree", tree).get(name)
            case list() if name.isdecimal():
                tree = cast("list[object]", tree)[int(name)]
            case _:
                return None
    return tree


def kind_of(each: Tree) -> str:
    return str(each["kind"])


def problems(each: Tree, kubernetes: str) -> str:
    """Why this object would be refused, "" when it would not. A field that nobody knows is a reason."""
    model = FOREIGN.get(kind_of(each))
    if model is not None:
        kept = model.model_validate(each).model_dump(mode="json", by_alias=True, exclude_unset=True)
        return "" if kept == each else f"{kept} is all that is known of {each}"
    try:
        kubernetes_validate.validate(each, kubernetes, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error)
    return ""
