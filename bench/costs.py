"""Figures of what operations cost, from rounds measured while few and while many predictions wait."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from bench.figure import Figure

Costs = TypeVar("Costs")  # what a script measured of one round
Operations = Mapping[str, Callable[[Costs], float]]  # name -> its cost in microseconds


def ratios(operations: Operations[Costs], few: Sequence[Costs], many: Sequence[Costs]) -> list[Figure]:
    """What each operation costs with many waiting, as a multiple of that with few."""
    return [
        Figure(
            f"{name}, 100,000 waiting / 10 waiting",
            "×",
            tuple(cost(m) / cost(f) for f, m in zip(few, many, strict=True)),
            at_most=1.25,
        )
        for name, cost in operations.items()
    ]


def details(operations: Operations[Costs], few: Sequence[Costs], many: Sequence[Costs]) -> list[Figure]:
    """What each operation costs."""
    return [
        Figure(f"{name}, {waiting} waiting", "µs", tuple(cost(each) for each in costs))
        for waiting, costs in (("10", few), ("100,000", many))
        for name, cost in operations.items()
    ]
