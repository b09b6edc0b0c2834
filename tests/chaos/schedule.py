"""From a seed: when which fault strikes. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault to come."""

    at_s: float  # from the beginning
    fault: str
    seed: int  # for what the fault itself leaves to chance


def schedule(seed: int, seconds: float, faults: Sequence[str], every_s: float) -> tuple[Strike, ...]:
    """Strikes at random instants, `every_s` apart on average; each fault comes once before any comes twice."""
    chance = random.Random(seed)
    strikes: list[Strike] = []
    round_: list[str] = []
    at_s = chance.uniform(0, every_s)
    while at_s < seconds:
        round_ = round_ or chance.sample(faults, len(faults))
        strikes.append(Strike(at_s, round_.pop(), chance.getrandbits(32)))
        at_s += min(chance.expovariate(1 / every_s), 3 * every_s)
    return tuple(strikes)
