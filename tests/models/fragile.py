"""Can be set up only while a file is there, and dies when asked to."""

import os
import signal
from pathlib import Path


class Fragile:
    def setup(self) -> None:
        self.weights = Path("weights.txt").read_text()

    def predict(self, text: str) -> str:
        if text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return self.weights + text
