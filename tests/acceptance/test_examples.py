"""The examples on real input."""

from importlib.util import find_spec

import pytest

from tests.asking import client_of, predict
from tests.conftest import Serve
from tests.missing import missing
from tests.source import ROOT

FILES = [
    ("src/zypher/errors.py", "python"),
    ("README.md", "markdown"),
    ("pyproject.toml", "toml"),
    ("Makefile", "makefile"),
    (".github/workflows/ci.yml", "yaml"),
]


def test_content_type_knows_this_projects_files(serve: Serve) -> None:
    _needs("magika")
    with client_of(serve(f"{ROOT}/examples/content_type.py:ContentType")) as client:
        for path, label in FILES:
            recognised = predict(client, (ROOT / path).read_text()).json()
            assert recognised["label"] == label, path
            assert 0.5 < recognised["score"] <= 1


def test_digits_reads_every_digit(serve: Serve) -> None:
    _needs("sklearn")
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    with client_of(serve(f"{ROOT}/examples/digits.py:Digits")) as client:
        read = [predict(client, [float(shade) for shade in image]).json()["digit"] for image in images[:10]]
        assert read == [int(digit) for digit in digits[:10]]
        assert "$.input" in predict(client, [0.0] * 63).json()["error"]
        assert "$.input[0]" in predict(client, [17.0] * 64).json()["error"]


def _needs(module: str) -> None:
    if find_spec(module) is None:
        missing(f"The example needs {module}: make install-examples.")
