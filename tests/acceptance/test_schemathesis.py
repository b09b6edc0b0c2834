"""What the OpenAPI document says is what the server does, as far as hundreds of strange requests can tell."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.asking import target
from tests.conftest import Serve

# No matter of a schema: a key that was used with another input; a prediction that is not finished, had too little time
# or was cancelled.
CONFIGURATION = """
[phases.stateful.checks.positive_data_acceptance]
expected-statuses = ["2xx", 404, 422, 503]

[[operations]]
include-name = "POST /predict"
checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 410, 422, 503, 504]
phases.stateful.checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 410, 422, 503, 504]

[[operations]]
include-name = "GET /predict/{prediction_id}"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 410, 503, 504]
phases.stateful.checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 410, 503, 504]
"""


@pytest.mark.timeout(300)
def test_the_server_keeps_to_its_document(serve: Serve, tmp_path: Path) -> None:
    server = serve(target("echo.py:Echo"))
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json"),
            *("--max-examples", "30", "--seed", "1", "--request-timeout", "10", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "9 selected / 9 total" in ended.stdout
    assert [line for line in server.log() if line["level"] == "error"] == []
