"""The examples do what their README says."""

import re
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from tests.missing import missing
from zypher.models.loader import load
from zypher.models.schema import InputValidator

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


class Labelled(msgspec.Struct, forbid_unknown_fields=True):
    label: str
    score: float

    @property
    def said(self) -> str:
        return self.label


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    digit: int
    probability: float

    @property
    def said(self) -> int:
        return self.digit


@pytest.fixture(autouse=True)
def environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "1")


def predict(target: str, raw: bytes) -> bytes:
    library = {"content_type.py:ContentType": "magika", "digits.py:Digits": "sklearn"}[target]
    if find_spec(library) is None:
        missing(f"{library} is not installed: run `make install-examples`.")
    model = load(str(EXAMPLES / target))
    InputValidator(model.card).check(raw)
    model.setup()
    return model.encode_output(model.predict(model.decode_input(raw)))


@pytest.mark.parametrize(("path", "label"), [("src/zypher/errors.py", "python"), ("pyproject.toml", "toml")])
def test_content_type_recognizes_this_projects_files(path: str, label: str) -> None:
    output = predict("content_type.py:ContentType", msgspec.json.encode((ROOT / path).read_text()))

    assert msgspec.json.decode(output, type=Labelled).label == label


@pytest.mark.parametrize("target", ["content_type.py:ContentType", "digits.py:Digits"])
def test_the_readme_s_input_gives_the_readme_s_output(target: str) -> None:
    section = (EXAMPLES / "README.md").read_text().split(f"zypher serve examples/{target}")[1]
    body = re.search(r"-d '(.*?)'", section, re.DOTALL)
    answer = re.search(r"```json\n(.*?)\n```", section, re.DOTALL)
    assert body
    assert answer

    raw = msgspec.json.decode(body[1], type=dict[str, msgspec.Raw])["input"]

    kind = Labelled if "label" in answer[1] else Reading
    given, told = (msgspec.json.decode(text, type=kind) for text in (predict(target, bytes(raw)), answer[1]))
    assert given.said == told.said
