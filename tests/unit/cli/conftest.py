import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in os.environ:
        if name.startswith("ZYPHER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
