"""The Dockerfile that docs/containers.md gives to somebody with a model and requirements of their own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import predict
from tests.image.conftest import Run
from tests.image.docker_engine import DockerEngine
from tests.source import ROOT

MODEL = """\
import markupsafe


class Sentiment:
    def predict(self, text: str) -> str:
        return str(markupsafe.escape(text))
"""


def documented() -> str:
    found = re.search(r"```dockerfile\n(FROM zypherai\n.*?)```", (ROOT / "docs/containers.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def on_top(engine: DockerEngine, image: str, tmp_path: Path) -> Iterator[str]:
    """An image with a model that needs a package of its own."""
    (tmp_path / "sentiment.py").write_text(MODEL)
    (tmp_path / "requirements.txt").write_text("markupsafe==3.0.3\n")
    tag = f"{image}-on-top"
    engine.build(tag, tmp_path, documented().replace("FROM zypherai\n", f"FROM {image}\n"))
    yield tag
    engine.run("image", "rm", tag)


def test_a_model_with_its_requirements_is_served(on_top: str, run: Run) -> None:
    with run(image=on_top).wait_ready().client as client:
        assert predict(client, "a < b").json() == "a &lt; b"
