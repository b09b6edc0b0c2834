"""The compose file: what every service of it must say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

import zypher
from tests.deploy.rendering import Tree, at
from tests.source import ROOT


@pytest.fixture(scope="module")
def services() -> dict[str, Tree]:
    """The services of all profiles, as Compose understands them."""
    compose = Path(sys.executable).with_name("docker-compose")
    command = [compose, "--file", ROOT / "compose.yaml", "--profile", "*", "config", "--format", "json"]
    config = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return cast("dict[str, Tree]", config["services"])


def test_each_setting_has_limits_and_a_round_trip(services: dict[str, Tree]) -> None:
    for service in services.values():
        assert int(str(service["mem_limit"])) > 0
        assert int(str(service["pids_limit"])) > 0
        assert set(cast("Tree", at(service, "logging.options"))) == {"max-size", "max-file"}
        assert service["restart"] == "unless-stopped"


def test_each_may_do_next_to_nothing(services: dict[str, Tree]) -> None:
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_each_image_is_of_one_version(services: dict[str, Tree]) -> None:
    tags = {name: str(service["image"]).partition(":")[2] for name, service in services.items()}
    assert all(tag[:1] in "v0123456789" and "." in tag for tag in tags.values()), tags
    assert tags["server"] == tags["worker"] == zypher.__version__


def test_redis_is_for_the_other_services_only(services: dict[str, Tree]) -> None:
    assert "ports" not in services["redis"]
    assert list(cast("Tree", services["redis"]["networks"])) == ["engine"]


def test_redis_keeps_what_is_accepted(services: dict[str, Tree]) -> None:
    words = cast("list[str]", services["redis"]["command"])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_a_container_has_time_to_drain(services: dict[str, Tree]) -> None:
    for name in ("server", "worker"):
        drain_s = int(str(at(services[name], "environment.ZYPHER_DRAIN_TIMEOUT_S")))
        assert int(str(services[name]["stop_grace_period"]).rstrip("s")) > drain_s
