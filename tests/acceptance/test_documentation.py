"""What the documentation says to do, done."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.asking import client_of, output, predict, read, submit, target
from tests.command import zypher
from tests.conftest import Serve
from tests.gate import Gate
from tests.source import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), ROOT / "bench/RESULTS.md"]
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for path, anchor in _LINK.findall(page.read_text()):
        linked = page.parent / path if path else page
        assert linked.exists(), path
        assert not anchor or anchor in _anchors(linked), f"{path}#{anchor}"


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    linked = {path for path, _ in _LINK.findall((ROOT / "README.md").read_text())}
    assert {f"docs/{page.name}" for page in ROOT.glob("docs/*.md")} <= linked


def test_the_readmes_model_is_served_as_pasted(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "sentiment.py").write_text(_block("README.md", "# sentiment.py"))
    checked = zypher("check", "sentiment.py:Sentiment", "--input", '"a good day"', cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    with client_of(serve("sentiment.py:Sentiment", "--replicas", "2")) as client:
        assert predict(client, "a good day").json() == 1


def test_the_test_of_a_model_passes_as_pasted(tmp_path: Path) -> None:
    (tmp_path / "detector.py").write_text(_block("docs/writing-a-model.md", "class Detector:"))
    test = _block("docs/writing-a-model.md", "def test_detector")
    (tmp_path / "test_detector.py").write_text(test)
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_detector.py"]
    ended = subprocess.run(pytest_alone, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_backup_is_made_and_restored_as_documented(serve: Serve, gate: Gate, tmp_path: Path) -> None:
    with (
        Gate(tmp_path / "opened") as opened,
        client_of(serve(target("gated.py:Gated"), "--data-dir", ".zypher", "--concurrency", "1")) as client,
    ):
        opened.open()
        ended = submit(client, opened.input("a"))
        assert output(client, ended) == "A"
        running, waiting = submit(client, gate.input("b")), submit(client, gate.input("c"))
        gate.wait_for_runs(1)
        _run_block("docs/operating.md", "source.backup(copy)", tmp_path)
        gate.open()
        assert output(client, waiting) == "C"
    _run_block("docs/operating.md", "mkdir -m 700 restored", tmp_path, without="zypher serve")
    with client_of(serve(target("gated.py:Gated"), "--data-dir", "restored")) as client:
        assert read(client, ended).json()["output"] == "A"
        assert [output(client, each) for each in (running, waiting)] == ["B", "C"]


def _block(page: str, part: str) -> str:
    """The code block of a page that has this in it."""
    blocks = re.findall(r"```\w*\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return next(block for block in blocks if part in block)


def _run_block(page: str, part: str, folder: Path, without: str = "\0") -> None:
    block = "\n".join(line for line in _block(page, part).splitlines() if not line.startswith(without))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["sh", "-eu", "-c", block],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub writes their anchors."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
