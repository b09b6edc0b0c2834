"""A Docker engine: the one that is there, or one made on a machine that reaches no registry of images.

The latter is a script outside this project, `docker-lab.sh`: it makes an engine and stand-ins for the images that our
files name. `DOCKER_LAB` is its path; without that it is looked for beside the project.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.missing import missing
from tests.source import ROOT

_BESIDE = ROOT.parent / "shared/tools/docker-lab.sh"
_PATIENCE_S = 600.0


class DockerEngine:
    """Runs `docker` and `docker-compose` on one engine."""

    def __init__(self, docker: str, environment: Mapping[str, str], *, alone: bool) -> None:
        self.alone = alone  # it reaches no registry of images, and builds reach packages through this machine's network
        self._docker = docker
        self._environment = {**os.environ, **environment}

    def run(self, *arguments: str | Path) -> str:
        """What `docker` prints. Fails when its exit status is not 0."""
        return self._run([self._docker, *map(str, arguments)])

    def log(self, container: str) -> str:
        """What a container has printed."""
        command = [self._docker, "logs", container]
        joined = subprocess.run(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True
        )
        return joined.stdout.decode(errors="replace")

    def compose(self, *arguments: str | Path, environment: Mapping[str, str]) -> str:
        """What `docker-compose` prints. Fails when its exit status is not 0."""
        return self._run([_compose(), *map(str, arguments)], environment)

    def build(self, tag: str, context: Path, dockerfile: str | None = None) -> None:
        """Build an image; `dockerfile` is the text of one, in place of the file in `context`."""
        given = () if dockerfile is None else ("--file", "-")
        network = ("--network", "host") if self.alone else ()
        command = [self._docker, "build", *network, "--tag", tag, *given, str(context)]
        self._run(command, stdin=(dockerfile or "").encode())

    def layers(self, image: str) -> list[tuple[int, str]]:
        """Size in bytes and origin of each layer on top of its base, the newest first."""
        printed = self.run("history", "--no-trunc", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}", image)
        listed = [line.partition("\t") for line in printed.splitlines()]
        below = len(self.run("history", "--quiet", base_image()).splitlines())
        return [(int(size), origin) for size, _, origin in listed[:-below]]

    def _run(self, command: list[str], more: Mapping[str, str] | None = None, stdin: bytes = b"") -> str:
        environment = {**self._environment, **(more or {})}
        ended = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, timeout=_PATIENCE_S, check=False
        )
        printed = ended.stdout.decode(errors="replace").strip()
        assert ended.returncode == 0, f"{shlex.join(command)}\n{printed}\n{ended.stderr.decode(errors='replace')}"
        return printed


def find_engine() -> DockerEngine:
    """The engine to use; ends the test where there is none."""
    docker = shutil.which("docker")
    if docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0:
        return DockerEngine(docker, {}, alone=False)
    lab = Path(os.environ.get("DOCKER_LAB", _BESIDE))
    if not lab.exists() or os.geteuid() != 0:
        missing("There is no Docker engine: start one, or name a docker-lab.sh in DOCKER_LAB and be root.")
    subprocess.run([lab, "bases", ROOT], check=True, timeout=_PATIENCE_S)
    return _of_lab(subprocess.run([lab, "env"], check=True, capture_output=True).stdout.decode())


def base_image() -> str:
    """What the Dockerfile builds upon."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("ARG PYTHON_IMAGE="))


def _of_lab(printed: str) -> DockerEngine:
    """The engine that lines such as `export NAME=VALUE` and `alias docker=PATH` tell of."""
    told = dict(word.split("=", 1) for word in shlex.split(printed) if "=" in word)
    docker = told.pop("docker")
    return DockerEngine(docker, told, alone=True)


def _compose() -> str:
    found = shutil.which("docker-compose", path=str(Path(sys.executable).parent))
    return found or missing("There is no docker-compose in .venv: make image-lint installs it.")
