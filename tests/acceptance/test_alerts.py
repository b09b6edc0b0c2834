"""The alerts of deploy/observe: checked by Prometheus, evaluated over half an hour, fired by servers in trouble."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.acceptance.conftest import Machines
from tests.asking import client_of, submit, target
from tests.command import zypher
from tests.conftest import Serve
from tests.gate import Gate
from tests.polling import wait_until
from tests.prometheus import Prometheus, prometheus_programs
from tests.source import ROOT

RULES = ROOT / "deploy/observe/alerts.yml"
OF_M = '{job="j", model="m"}'
STATE = '{{job="j", model="m", state="{}"}}'

# Series, one value a minute, that make an alert fire, and in which minute; then such as never do.
FIRES: dict[str, tuple[Mapping[str, str], int]] = {
    "ZypherReplicaStuck": ({"zypher_replicas_stuck" + OF_M: "1x9"}, 2),
    "ZypherDeadLetters": ({"zypher_queue_depth" + STATE.format("dead"): "0 1x9"}, 2),
    "ZypherDataNearlyFull": ({"zypher_data_bytes" + OF_M: "76x30", "zypher_data_limit_bytes" + OF_M: "100x30"}, 15),
    "ZypherRefuses": ({'zypher_predictions_refused_total{job="j", reason="DataFull"}': "0+1x30"}, 4),
    "ZypherQueueOld": ({"zypher_queue_oldest_seconds" + OF_M: "0+60x30"}, 12),
    "ZypherWorkersSilent": (
        {"zypher_workers" + OF_M: "0x30", "zypher_queue_depth" + STATE.format("queued"): "2x30"},
        5,
    ),
    "ZypherRedisEvicts": ({'zypher_engine_warnings{job="j", kind="evicts"}': "0 1x9"}, 2),
    "ZypherRedisTrouble": ({'zypher_engine_warnings{job="j", kind="save_failed"}': "0 1x9"}, 2),
    "ZypherRedisNotPersistent": ({'zypher_engine_warnings{job="j", kind="not_persistent"}': "0 1x9"}, 2),
}
QUIET: list[tuple[str, Mapping[str, str]]] = [
    ("ZypherReplicaStuck", {"zypher_replicas_stuck" + OF_M: "0 1 0x30"}),
    ("ZypherDeadLetters", {"zypher_queue_depth" + STATE.format("queued"): "5x30"}),
    ("ZypherDataNearlyFull", {"zypher_data_bytes" + OF_M: "74x30", "zypher_data_limit_bytes" + OF_M: "100x30"}),
    ("ZypherDataNearlyFull", {"zypher_data_bytes" + OF_M: "0x30", "zypher_data_limit_bytes" + OF_M: "0x30"}),
    ("ZypherRefuses", {'zypher_predictions_refused_total{job="j", reason="Draining"}': "0+5x30"}),
    ("ZypherRefuses", {'zypher_predictions_refused_total{job="j", reason="EngineUnavailable"}': "0 9x30"}),
    ("ZypherQueueOld", {"zypher_queue_oldest_seconds" + OF_M: "599x30"}),
    ("ZypherRedisEvicts", {'zypher_engine_warnings{job="j", kind="not_persistent"}': "1x30"}),
    ("ZypherRedisEvicts", {'zypher_engine_warnings{job="j", kind="evicts"}': "0x30"}),
    ("ZypherRedisTrouble", {'zypher_engine_warnings{job="j", kind="evicts"}': "1x30"}),
    (
        "ZypherWorkersSilent",  # scaled to zero while nothing waits
        {"zypher_workers" + OF_M: "0x30", "zypher_queue_depth" + STATE.format("queued"): "0x30"},
    ),
    (
        "ZypherWorkersSilent",  # dead letters wait for an operator
        {"zypher_workers" + OF_M: "0x30", "zypher_queue_depth" + STATE.format("dead"): "2x30"},
    ),
    (
        "ZypherWorkersSilent",  # of another model
        {"zypher_workers" + OF_M: "0x30", 'zypher_queue_depth{job="j", model="n", state="queued"}': "2x30"},
    ),
]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prometheus_programs(tmp_path_factory.mktemp("prometheus"))


def promtool(programs: Path, *arguments: str | Path) -> str:
    """What it prints; fails with that when it does."""
    ended = subprocess.run([programs / "promtool", *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def group(series: Mapping[str, str], name: str, expected: Mapping[int, bool]) -> dict[str, object]:
    """A test of promtool: whether this alert fires, by minute."""
    firing = [{"labels": f'{{alertname="{name}"}}', "value": 1}]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count by (alertname) (ALERTS{{alertname="{name}", alertstate="firing"}})',
                "eval_time": f"{minute}m",
                "exp_samples": firing if fires else [],
            }
            for minute, fires in expected.items()
        ],
    }


def test_prometheus_accepts_rules_and_configuration(programs: Path, tmp_path: Path) -> None:
    assert f"SUCCESS: {len(FIRES)} rules found" in promtool(programs, "check", "rules", RULES)
    for file in ("prometheus.yml", "alerts.yml"):
        (tmp_path / file).write_text((ROOT / "deploy/observe" / file).read_text())
    assert "SUCCESS: 1 rule files found" in promtool(programs, "check", "config", tmp_path / "prometheus.yml")


def test_every_alert_fires_in_its_time_and_not_before(programs: Path, tmp_path: Path) -> None:
    assert set(FIRES) == set(re.findall(r"alert: (\w+)", RULES.read_text()))
    tests = [group(series, name, {minute - 1: False, minute: True}) for name, (series, minute) in FIRES.items()]
    tests += [group(series, name, dict.fromkeys(range(31), False)) for name, series in QUIET]
    written = tmp_path / "tests.json"
    written.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    promtool(programs, "test", "rules", written)


def hasty(folder: Path) -> Path:
    """The same rules, which wait for seconds where the real ones wait for minutes."""
    text, waits = re.subn(r"for: \d+m", "for: 200ms", RULES.read_text())
    text, ages = re.subn(r"(zypher_queue_oldest_seconds\)) > 600", r"\1 > 1", text)
    assert (waits, ages) == (len(FIRES), 1)
    rules = folder / "alerts.yml"
    rules.write_text(text)
    return rules


def wait_firing(prometheus: Prometheus, name: str, model: str) -> None:
    """Return once this alert fires; its texts name the model."""
    alert = wait_until(lambda: prometheus.firing().get((name, model)))
    assert alert["labels"]["severity"] in {"warning", "critical"}
    assert alert["annotations"]["summary"].startswith(f"{model}: ")
    assert not re.search("{{|<no value>|<error", " ".join(alert["annotations"].values()))


def test_trouble_fires_alerts_that_end_with_it(
    programs: Path, serve: Serve, machines: Machines, gate: Gate, tmp_path: Path
) -> None:
    poisoned = serve(target("poison.py:Poison"), "--max-attempts", "1", "--concurrency", "1", "--data-dir", "poisoned")
    stuck = serve(target("holding.py:Holding"), "--replica-silence-s", "0.6", "--engine", "memory")
    front = machines.front("--lease-s", "2")
    worker = machines.worker("gated.py:Gated", "--lease-s", "2").wait_ready()
    servers = {"poisoned": poisoned.url, "stuck": stuck.url, "front": front.url}
    with (
        Prometheus(programs, tmp_path, hasty(tmp_path), servers) as prometheus,
        client_of(poisoned) as to_poisoned,
        client_of(stuck) as to_stuck,
        client_of(front) as to_front,
    ):
        wait_until(lambda: to_front.get("/healthz/ready").status_code == 200)
        worker.kill()
        submit(to_front, gate.input("a"))
        submit(to_stuck, {"held_s": 6, "slept_s": 0, "folder": str(gate.folder)})
        submit(to_poisoned, gate.input("kill"))
        wait_firing(prometheus, "ZypherReplicaStuck", "Holding")
        wait_firing(prometheus, "ZypherDeadLetters", "Poison")
        for text in "bc":
            submit(to_poisoned, gate.input(text))
        wait_firing(prometheus, "ZypherQueueOld", "Poison")
        wait_firing(prometheus, "ZypherWorkersSilent", "Gated")
        gate.open()
        assert zypher("queue", "dead", "purge", "--all", "--data-dir", "poisoned", cwd=tmp_path).returncode == 0
        machines.worker("gated.py:Gated", "--lease-s", "2")
        wait_until(lambda: not prometheus.firing())
