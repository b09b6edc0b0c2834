"""The examples on real input."""

from importlib.util import find_spec

from tests.asking import client_of, predict
from tests.conftest import Serve
from tests.missing import missing
from tests.source import ROOT

FILES = [
    ("src/zypher/errors.py", "python"),
    ("README.md", "markdown"),
    ("pyproject.toml", "toml"),
    ("Makefile", "makefile"),
    (".github/workflows/test.yml", "yaml"),
]

DRAWINGS = [  # eight rows of eight shades, from 0 for paper to g, which is 16, for ink
    (0, "005d9100 00dfaf50 03f20b80 04c00880 05800980 04b01c70 02e5ac00 006da000"),
    (3, "007fd100 08d6f400 021dd000 002fb100 0001cc10 00001a80 00845e90 007dd900"),
]


def test_content_type_recognizes_this_projects_files(serve: Serve) -> None:
    _needs("magika")
    with client_of(serve(f"{ROOT}/examples/content_type.py:ContentType")) as client:
        for path, label in FILES:
            recognised = predict(client, (ROOT / path).read_text()).json()
            assert recognised["label"] == label, path
            assert 0.5 < recognised["score"] <= 1


def test_digits_reads_handwriting(serve: Serve) -> None:
    _needs("sklearn")
    with client_of(serve(f"{ROOT}/examples/digits.py:Digits")) as client:
        for digit, drawing in DRAWINGS:
            reading = predict(client, pixels(drawing)).json()
            assert reading["digit"] == digit
            assert 0.5 < reading["probability"] <= 1
        assert "$.input" in predict(client, [0.0] * 63).json()["error"]
        assert "$.input[0]" in predict(client, [17.0] * 64).json()["error"]


def pixels(drawing: str) -> list[float]:
    return [float(int(shade, 17)) for shade in drawing.replace(" ", "")]


def _needs(module: str) -> None:
    if find_spec(module) is None:
        missing(f"The example needs {module}: make install-examples.")
