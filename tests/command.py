"""The command `zypher`, run to its end."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_PATIENCE_S = 60.0


def zypher(
    *arguments: str, cwd: Path, stdin: bytes | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What the command printed and its exit code. It sees none of this process's ZYPHER_* variables."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ZYPHER_")}
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "zypher", *arguments],
        cwd=cwd,
        env=plain | dict(environment or {}),
        input=stdin or b"",
        capture_output=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    return subprocess.CompletedProcess(ended.args, ended.returncode, ended.stdout.decode(), ended.stderr.decode())
