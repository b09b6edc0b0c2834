"""How figures are shown: printed by one script, or written to RESULTS.md by all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.figure import Figure

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Result:
    """What a script has measured."""

    script: "Script"
    figures: Sequence[Figure]

    @property
    def met(self) -> bool:
        return all(figure.met for figure in self.figures)


@dataclass(frozen=True, slots=True)
class Script:
    """One script of this folder."""

    name: str
    conditions: str | None  # its docstring: a title, then how it measures
    measure: Callable[[], list[Figure]]

    @property
    def command(self) -> str:
        return f".venv/bin/python -m bench.{self.name}"

    def run(self) -> Result:
        """Measure and print."""
        print(f"{self.command}\n{machine.describe()}\n\n{self.conditions}", flush=True)
        figures = self.measure()
        for figure in figures:
            print(f"{figure.name:<70} {figure.target:<16} {figure.measured:<36} {figure.verdict}".rstrip(), flush=True)
        print()
        return Result(self, figures)

    def main(self) -> int:
        """Measure and print; the exit code is 1 when a target is missed."""
        return int(not self.run().met)


def write_results(results: Sequence[Result]) -> None:
    """Write RESULTS.md anew."""
    RESULTS.write_text("\n".join([_HEAD.format(machine=machine.describe()), *map(_section, results)]))


_HEAD = """\
# Results

Written by `make bench`; do not edit. Each figure is the median of its rounds, with the least and the greatest of them.
Ratios compare what was measured in the same run; absolute figures belong to this machine:

{machine}.
"""


def _section(result: Result) -> str:
    title, _, conditions = (result.script.conditions or "").strip().partition("\n")
    rows = [f"| {figure.name} | {figure.target} | {figure.measured} | {figure.verdict} |" for figure in result.figures]
    table = "\n".join(["| figure | target | measured | |", "|---|---|---|---|", *rows])
    return f"## {title.rstrip('.')}\n\n`{result.script.command}`\n\n{conditions.strip()}\n\n{table}\n"
