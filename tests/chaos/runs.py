"""What the model itself noted: every run that began, where, when, and whether it ended."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """One execution."""

    number: int  # of the question
    pid: int  # of the replica
    began: float  # a reading of the monotonic clock, which all processes share
    ended: float | None  # None: interrupted


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that has struck."""

    fault: str
    at: float  # a reading of the monotonic clock
    pids: frozenset[int]  # the processes that it hit, with their children


def runs_in(folder: Path) -> Mapping[int, Sequence[Run]]:
    """The runs of each question, in the order of their beginnings."""
    began: dict[str, tuple[int, int, float]] = {}
    ended: dict[str, float] = {}
    path = folder / "runs"
    for line in path.read_text().splitlines() if path.exists() else []:
        event, run, number, pid, at = line.split()
        if event == "begin":
            began[run] = (int(number), int(pid), float(at))
        else:
            ended[run] = float(at)
    runs: defaultdict[int, list[Run]] = defaultdict(list)
    for run, (number, pid, at) in began.items():
        runs[number].append(Run(number, pid, at, ended.get(run)))
    return {number: sorted(each, key=lambda run: run.began) for number, each in runs.items()}


def attempts(runs: Mapping[int, Sequence[Run]]) -> Counter[int]:
    """How many questions were run once, twice, and so on."""
    return Counter(len(each) for each in runs.values())


def recoveries_s(runs: Mapping[int, Sequence[Run]], strikes: Sequence[Struck]) -> list[float]:
    """From each strike that hit a run to the beginning of the next run of the same question, in seconds."""
    return [
        later.began - strike.at
        for each in runs.values()
        for run, later in pairwise(each)
        if (strike := _that_hit(run, later.began, strikes)) is not None
    ]


def _that_hit(run: Run, before: float, strikes: Sequence[Struck]) -> Struck | None:
    """The first strike at the process of this run, while it ran."""
    until = before if run.ended is None else min(before, run.ended)
    hits = (strike for strike in strikes if run.pid in strike.pids and run.began < strike.at < until)
    return min(hits, key=lambda strike: strike.at, default=None)
