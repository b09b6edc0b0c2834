"""Tells what a text is: Python, Markdown, TOML, a Makefile, YAML, … with Magika's deep model."""

import os
from typing import TypedDict


class ContentTypeOutput(TypedDict):
    label: str  # such as "python"
    score: float  # 0 to 1


class ContentType:
    """What kind of content a text is, and how sure the model is of it."""

    def setup(self) -> None:
        # The runtime below Magika reports its use to its maker unless this is set before its import.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        from magika import Magika

        self.magika = Magika()

    def predict(self, text: str) -> ContentTypeOutput:
        result = self.magika.identify_bytes(text.encode())
        return {"label": str(result.output.label), "score": result.score}
