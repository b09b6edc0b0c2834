"""The rooms know each other in one direction only; the contracts are in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

from tests.source import ROOT


def test_every_import_goes_the_allowed_way() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
