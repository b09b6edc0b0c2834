"""What the OpenAPI document says is what the server does, as far as thousands of strange requests can tell."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server_process import ServerProcess


@pytest.mark.timeout(300)
def test_the_server_keeps_to_its_document(echo_server: ServerProcess, tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{echo_server.url}/openapi.json"),
            *("--max-examples", "30", "--seed", "1", "--request-timeout", "10", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
