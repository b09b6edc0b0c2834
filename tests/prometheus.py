"""Prometheus and its rule checker: this machine's, or Debian's; and one that runs and often asks our servers."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict

import httpx

from tests.free_port import free_port
from tests.missing import missing
from tests.polling import wait_until

_OFTEN = "200ms"
_STOP_S = 10.0


class Alert(TypedDict):
    """One alert, as Prometheus shows it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    state: str  # pending or firing


def prometheus_programs(folder: Path) -> Path:
    """The folder of `prometheus` and `promtool`: this machine's, or in CI Debian's, unpacked into `folder`.

    Ends the test where there are none.
    """
    here = shutil.which("promtool")
    if here is not None and shutil.which("prometheus") is not None:
        return Path(here).parent
    if not os.environ.get("CI"):
        missing("There is no Prometheus on this machine; install it, for example with: apt-get install prometheus")
    return debian_prometheus(folder)


def debian_prometheus(folder: Path) -> Path:
    """The folder of Debian's `prometheus` and `promtool`, unpacked into `folder`.

    Ends the test where they cannot be had.
    """
    if shutil.which("apt-get") is None:
        missing("There is no Prometheus here, nor Debian's package of it: install prometheus and promtool.")
    fetched = _fetch(folder)
    if not list(folder.glob("prometheus_*.deb")) and os.geteuid() == 0:
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        fetched = _fetch(folder)
    packages = list(folder.glob("prometheus_*.deb"))
    if not packages:
        missing(f"Debian's Prometheus cannot be had here: {fetched}")
    subprocess.run(["dpkg", "--extract", packages[0], folder], check=True)
    packages[0].unlink()
    return folder / "usr/bin"


def _fetch(folder: Path) -> str:
    command = ["apt-get", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "download", "prometheus"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stderr


class Prometheus:
    """Evaluates a file of rules five times a second, on what servers showed; `servers` are their URLs by job."""

    def __init__(self, programs: Path, folder: Path, rules: Path, servers: Mapping[str, str]) -> None:
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [url.removeprefix("http://")]}]}
            for job, url in servers.items()
        ]
        every = {"scrape_interval": _OFTEN, "scrape_timeout": _OFTEN, "evaluation_interval": _OFTEN}
        config = folder / "prometheus.json"  # JSON is YAML, too
        config.write_text(json.dumps({"global": every, "rule_files": [str(rules)], "scrape_configs": jobs}))
        address = f"127.0.0.1:{free_port()}"
        where = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={address}")
        self._log = folder / "prometheus.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([programs / "prometheus", *where], stdout=log, stderr=log)
        self._client = httpx.Client(base_url=f"http://{address}/api/v1", trust_env=False)

    def firing(self) -> dict[tuple[str, str], Alert]:
        """What is firing, by its name and its model."""
        alerts: list[Alert] = self._client.get("/alerts").json()["data"]["alerts"]
        firing = [each for each in alerts if each["state"] == "firing"]
        return {(each["labels"]["alertname"], each["labels"].get("model", "")): each for each in firing}

    def __enter__(self) -> Self:
        """It asks its servers when this returns."""
        try:
            wait_until(self._asks)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(_STOP_S)

    def _asks(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            answer = self._client.get("/query", params={"query": "min(up)"})
        except httpx.ConnectError:
            return False
        return answer.status_code == 200 and [each["value"][1] for each in answer.json()["data"]["result"]] == ["1"]
