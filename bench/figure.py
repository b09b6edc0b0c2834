"""A measured figure: its rounds and its target."""

from dataclasses import dataclass
from statistics import median

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured once in each round; the median counts. Without a target it only informs."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether no target is missed."""
        value = median(self.rounds)
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    @property
    def target(self) -> str:
        bounds = (("≥", self.at_least), ("≤", self.at_most))
        return " ".join(f"{sign} {_number(bound)} {self.unit}".rstrip() for sign, bound in bounds if bound is not None)

    @property
    def measured(self) -> str:
        spread = f" ({_number(min(self.rounds))}–{_number(max(self.rounds))})" if len(self.rounds) > 1 else ""
        return f"{_number(median(self.rounds))}{spread} {self.unit}".rstrip()

    @property
    def verdict(self) -> str:
        if not self.target:
            return ""
        return "reached" if self.met else "missed"


def _number(value: float) -> str:
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
