"""What is in the image, and what is not."""

import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import zypher
from tests.image.docker_engine import DockerEngine, base_image
from tests.source import ROOT

LARGEST_MB = 60.0
LARGEST_CONTEXT_MB = 2.0
OURS = ("app", "data", "opt/model", "usr/local/bin", "usr/local/lib")
PUBLIC_PEM = "certifi/cacert.pem"

# What only a secret looks like, by whom it opens a door to.
SECRET_TEXT = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\n|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b|\bglpat-[\w-]{20}\b"
    rb"|\bxox[abprs]-\w{10,}|\bsk-[A-Za-z0-9]{32,}\b|\bAIza[\w-]{35}\b|\bpypi-[\w-]{50,}"
)
SECRET_FILE = re.compile(
    r"(^|/)(\.env(\..*)?|\.netrc|\.pypirc|\.git|\.ssh|id_(rsa|ecdsa|ed25519)|.+\.(pem|key|p12|pfx))$"
)
SECRET_NAME = re.compile(r"(password|passwd|secret|token|api_?key)", re.IGNORECASE)


@pytest.fixture(scope="module")
def files(engine: DockerEngine, image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar of every file in the image."""
    path = tmp_path_factory.mktemp("image") / "files.tar"
    container = engine.run("create", image)
    engine.run("export", "--output", path, container)
    engine.run("rm", "--volumes", container)
    return path


def entries(files: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(files) as archive:
        for each in archive:
            content = archive.extractfile(each) if each.isfile() else None
            yield each, content.read() if content is not None else b""


def test_its_own_layers_are_small(engine: DockerEngine, image: str, capsys: pytest.CaptureFixture[str]) -> None:
    layers = [(size / 1e6, origin) for size, origin in engine.layers(image)]
    total = sum(size for size, _ in layers)
    with capsys.disabled():
        print(f"\nlayers of the image on top of {base_image()}, in MB:")
        print(*(f"{size:8.1f}  {origin[:90]}" for size, origin in layers if size), f"{total:8.1f}  in all", sep="\n")
    assert 0 < total <= LARGEST_MB


def test_a_build_is_given_little(engine: DockerEngine) -> None:
    tag = "zypherai-test-context"
    engine.build(tag, ROOT, "FROM scratch\nCOPY . /\n")
    size = int(engine.run("image", "inspect", "--format", "{{.Size}}", tag))
    engine.run("image", "rm", tag)
    assert 0 < size / 1e6 < LARGEST_CONTEXT_MB


def test_the_image_has_a_numeric_user_and_exec_commands(engine: DockerEngine, image: str) -> None:
    config = json.loads(engine.run("image", "inspect", "--format", "{{json .Config}}", image))
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", config["User"])
    assert config["Entrypoint"] == ["zypher"]
    assert config["Cmd"] == ["serve"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert list(config["Volumes"]) == ["/data"]
    assert config["Labels"]["org.opencontainers.image.version"] == zypher.__version__


def test_nothing_of_the_build_is_left(files: Path) -> None:
    names = {each.name for each, _ in entries(files)}
    programs = {Path(name).name for name in names if "/bin/" in name}
    assert not programs & {"gcc", "cc", "g++", "make", "git", "curl"}
    assert not [name for name in names if name.endswith(".whl") and not name.startswith("usr/local/lib/python")]
    assert not [name for name in names if name.startswith(("build", "install", "wheels", "root/.cache/", "app/"))]


def test_reading_a_file_does_not_change_its_caller(files: Path) -> None:
    assert [each.name for each, _ in entries(files) if each.isfile() and each.mode & 0o6000] == []


def test_nothing_of_ours_can_be_changed_by_its_user(files: Path) -> None:
    theirs = [each.name for each, _ in entries(files) if each.uid == 10001]
    assert sorted(theirs) == ["data/", "opt/model/"] or sorted(theirs) == ["data", "opt/model"]


def test_no_secret_is_in_a_file(files: Path) -> None:
    ours = [(each.name, content) for each, content in entries(files) if each.name.startswith(OURS)]
    assert [name for name, content in ours if SECRET_TEXT.search(content)] == []
    assert [name for name, _ in ours if SECRET_FILE.search(name) and not name.endswith(PUBLIC_PEM)] == []


def test_no_secret_is_in_its_environment_or_history(engine: DockerEngine, image: str) -> None:
    environment = json.loads(engine.run("image", "inspect", "--format", "{{json .Config.Env}}", image))
    assert [each for each in environment if SECRET_NAME.search(each)] == []
    assert [origin for _, origin in engine.layers(image) if SECRET_NAME.search(origin)] == []


def test_the_scan_detects_a_secret() -> None:
    assert SECRET_TEXT.search(b"-----BEGIN RSA " + b"PRIVATE KEY-----\nMII")
    assert SECRET_TEXT.search(b"key = 'AKIA" + b"ABCDEFGHIJKLMNOP'")
    assert all(SECRET_FILE.search(name) for name in ("app/.env", "data/id_rsa", "a/b.key", ".git"))
    assert not SECRET_FILE.search("usr/local/lib/python3.11/keyword.py")
