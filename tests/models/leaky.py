"""A model that can be loaded once, and says why not in more words than everybody should read."""

import os
from pathlib import Path

LOADED = Path(os.environ["LEAKY_FLAG"])


class Leaky:
    def setup(self) -> None:
        if LOADED.exists():
            raise RuntimeError("cannot reach postgres://admin:hunter2@10.0.0.7/db")
        LOADED.touch()

    def predict(self, deed: str) -> list[str]:
        if deed == "die":
            os._exit(3)
        return sorted(os.environ)
