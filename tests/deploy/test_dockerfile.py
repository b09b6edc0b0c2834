"""The Dockerfile: what it sets."""

import re

from tests.source import ROOT
from zypher.settings import resolve

DOCKER_KILLS_AFTER_S = 10
BUSY_REPLICA_ENDS_S = 1  # docs/operating.md


def test_docker_stop_leaves_time_to_drain() -> None:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    settings = resolve({}, dict(re.findall(r"(ZYPHER_[A-Z_]+)=(\S+)", text)), None).settings
    assert settings.http.lame_duck_s == 5
    assert settings.http.lame_duck_s < settings.worker.drain_timeout_s < DOCKER_KILLS_AFTER_S - BUSY_REPLICA_ENDS_S
