"""The examples on real input."""

import io
import struct
import wave
import zlib
from base64 import b64decode, b64encode
from importlib.util import find_spec
from pathlib import Path

from tests.asking import client_of, predict
from tests.command import zypher
from tests.conftest import Serve
from tests.missing import missing
from tests.source import ROOT

# 16 by 8 pixels, black.
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAABAAAAAICAAAAADVHSBLAAAADElEQVR4nGNgGBwAAACIAAFKRerLAAAAAElFTkSuQmCC")
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


def test_thumbnail_answers_a_smaller_image(serve: Serve, tmp_path: Path) -> None:
    _needs("PIL")
    server = serve(f"{ROOT}/examples/thumbnail.py:Thumbnail")
    (tmp_path / "large.png").write_bytes(png(128, 32))
    made = zypher("predict", "--file", "large.png", "--url", server.url, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert struct.unpack(">II", b64decode(made.stdout)[16:24]) == (64, 16)
    with client_of(server) as client:
        wrong = predict(client, "aGVsbG8=")
        assert (wrong.status_code, wrong.json()["error"][:26]) == (422, "$.input must be an image: ")


def test_loudness_reads_a_data_url(serve: Serve) -> None:
    recording = io.BytesIO()
    with wave.open(recording, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(struct.pack("<4h", 16_384, -16_384, 16_384, -16_384) * 1_000)
    with client_of(serve(f"{ROOT}/examples/loudness.py:loudness")) as client:
        url = "data:audio/wav;base64," + b64encode(recording.getvalue()).decode()
        assert predict(client, url).json() == {"seconds": 0.5, "peak": 0.5, "rms": 0.5}
        for refused in (
            "file:///etc/passwd",
            "http://127.0.0.1/",
            "data:audio/wav;base64,aGVsbG8=",
            "data:;base64,*",
            "data:",
        ):
            response = predict(client, refused)
            assert (response.status_code, response.json()["error"][:12]) == (422, "$.input must"), refused


def png(width: int, height: int) -> bytes:
    """A black image."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pixels(drawing: str) -> list[float]:
    return [float(int(shade, 17)) for shade in drawing.replace(" ", "")]


def _needs(module: str) -> None:
    if find_spec(module) is None:
        missing(f"The example needs {module}: make install-examples.")
