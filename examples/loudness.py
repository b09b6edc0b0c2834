"""Measures how loud a recording is: audio as a data URL, as browsers make them."""

import base64
import io
import wave
from array import array
from dataclasses import dataclass

import zypher


@dataclass
class Loudness:
    """Of 16-bit PCM, 1 is full scale."""

    seconds: float
    peak: float
    rms: float  # root mean square


def loudness(audio: str) -> Loudness:
    """The loudness of a WAV file of 16 bits per sample, `data:audio/wav;base64,…`."""
    try:
        with wave.open(io.BytesIO(content_of(audio))) as recording:
            if recording.getsampwidth() != 2:
                raise zypher.InvalidInput("$.input must have 16 bits per sample.")
            seconds = recording.getnframes() / recording.getframerate()
            samples = array("h", recording.readframes(recording.getnframes()))
    except (EOFError, wave.Error) as error:
        raise zypher.InvalidInput(f"$.input must be a WAV file: {error}.") from None
    if not samples:
        raise zypher.InvalidInput("$.input must have at least one sample.")
    peak = max(map(abs, samples)) / 32_768
    rms = (sum(sample * sample for sample in samples) / len(samples)) ** 0.5 / 32_768
    return Loudness(seconds, peak, rms)


def content_of(data_url: str) -> bytes:
    """The content of a data URL in base64 (RFC 2397). No other URL is fetched."""
    head, _, content = data_url.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")):
        raise zypher.InvalidInput("$.input must be a data URL, as data:audio/wav;base64,….")
    try:
        return base64.b64decode(content, validate=True)
    except ValueError as error:
        raise zypher.InvalidInput(f"$.input must be base64 after its comma: {error}.") from None
