"""The account: what was accepted, what struck, and what became of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_SHOWN = 5  # of each kind of problem


@dataclass(frozen=True, slots=True)
class Report:
    """What a storm has shown."""

    title: str
    accepted: int
    synchronous: int  # answered to those who waited
    readings: int  # of the result that was read least
    refusals_s: list[float]  # how long each 503 took
    ends: Counter[str]  # how the accepted ones ended
    strikes: Counter[str]  # by fault
    attempts: Counter[int]  # questions by the number of their runs
    given_up: Counter[int]  # those that failed with their workers, by the number of their runs
    recoveries_s: list[float]  # from a strike to the next run of what it hit
    lost: list[str]
    wrong: list[str]
    doubled: list[str]
    charged: list[str]  # attempts that never began
    destroyed: int  # predictions that a fault took parts of
    data_lost: int  # of these, that ended so or are unknown
    strange: list[str]  # whatever else should not have happened

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.wrong or self.doubled or self.charged or self.strange)

    def __str__(self) -> str:
        runs = sum(times * questions for times, questions in self.attempts.items())
        lines = [
            self.title,
            f"accepted {self.accepted}, each read {self.readings} times or more: {_counted(self.ends)}",
            f"answered at once {self.synchronous}; refused {_spans(self.refusals_s)}",
            f"strikes {self.strikes.total()}: {_counted(self.strikes)}",
            f"runs {runs}, redeliveries {runs - self.attempts.total()}: {_by_runs(self.attempts)}",
            f"given up {self.given_up.total()}: {_by_runs(self.given_up)}",
            f"recovered {_spans(self.recoveries_s)}",
            f"destroyed by a fault {self.destroyed}, of these data_lost {self.data_lost}",
            self._broken(),
        ]
        problems = (
            *(("lost", self.lost), ("wrong", self.wrong), ("doubled", self.doubled)),
            *(("charged", self.charged), ("strange", self.strange)),
        )
        return "\n".join(lines + [f"{name}: {each}" for name, found in problems for each in found[:_SHOWN]])

    def _broken(self) -> str:
        broken = f"lost {len(self.lost)}, wrong {len(self.wrong)}, doubled {len(self.doubled)}"
        return f"{broken}, charged without having begun {len(self.charged)}"


def _by_runs(counts: Counter[int]) -> str:
    return ", ".join(f"{counts[runs]} after {runs}" for runs in sorted(counts)) or "none"


def _spans(spans_s: Sequence[float]) -> str:
    if not spans_s:
        return "0"
    return f"{len(spans_s)}, after p50 {median(spans_s):.2f} s, max {max(spans_s):.2f} s"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
