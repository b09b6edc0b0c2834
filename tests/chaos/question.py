"""What is asked: an input from which the right answer follows."""

import hashlib
import random
from dataclasses import dataclass

import msgspec

_SIZES = (20, 200, 20_000)  # characters of a text
_SIZE_WEIGHTS = (70, 25, 5)
_RUNS_S = (0.0, 0.05, 0.5, 3.0)  # the last is longer than the lease
_RUN_WEIGHTS = (40, 40, 15, 5)
_RAISING = 0.05  # the share of those that are to fail


class _Output(msgspec.Struct, frozen=True):
    number: int
    digest: str
    run: str


@dataclass(frozen=True, slots=True)
class Question:
    """An input for tests/models/checkable.py."""

    number: int
    text: str
    run_s: float
    raises: bool

    @staticmethod
    def drawn(number: int, chance: random.Random) -> "Question":
        """One of a mixture of short and long ones."""
        (size,) = chance.choices(_SIZES, _SIZE_WEIGHTS)
        (run_s,) = chance.choices(_RUNS_S, _RUN_WEIGHTS)
        text = f"{number} {chance.random()} ".ljust(size, "é")
        return Question(number, text, run_s, raises=chance.random() < _RAISING)

    def input(self, folder: str) -> dict[str, object]:
        """As the model takes it; its runs are listed in `folder`."""
        return {
            "number": self.number,
            "text": self.text,
            "run_s": self.run_s,
            "raises": self.raises,
            "folder": folder,
        }

    def is_answered_by(self, output: bytes) -> bool:
        """Whether this output, as JSON, is the right one."""
        try:
            given = msgspec.json.decode(output, type=_Output)
        except msgspec.DecodeError:
            return False
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return not self.raises and (given.number, given.digest) == (self.number, digest)

    def is_refused_by(self, error: str) -> bool:
        """Whether this sentence states the failure that was asked for."""
        return self.raises and f"ValueError: asked to fail number {self.number}" in error
