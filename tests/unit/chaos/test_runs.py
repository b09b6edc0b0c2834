"""What the model's notes say."""

from pathlib import Path

import pytest

from tests.chaos.runs import Run, Struck, attempts, recoveries_s, runs_in

NOTES = """\
begin a 1 100 10.0
begin b 2 100 10.5
end b 2 100 11.0
begin c 1 200 14.0
end c 1 200 14.5
"""


def test_the_notes_are_read(tmp_path: Path) -> None:
    assert runs_in(tmp_path) == {}
    (tmp_path / "runs").write_text(NOTES)
    runs = runs_in(tmp_path)
    assert runs == {1: [Run(1, 100, 10.0, None), Run(1, 200, 14.0, 14.5)], 2: [Run(2, 100, 10.5, 11.0)]}
    assert attempts(runs) == {1: 1, 2: 1}


def test_recovery_counts_from_the_strike_that_hit_the_run() -> None:
    runs = {1: [Run(1, 100, 10.0, None), Run(1, 200, 14.0, 14.5)]}
    early, elsewhere, hit, late = (
        Struck("x", at, frozenset({pid})) for at, pid in ((9.0, 100), (11.0, 300), (12.0, 100), (13.0, 100))
    )
    assert recoveries_s(runs, [late, hit, elsewhere, early]) == [pytest.approx(2.0)]
    assert recoveries_s(runs, [early, elsewhere]) == []


def test_a_run_that_ended_before_the_fault_is_not_affected() -> None:
    runs = {1: [Run(1, 100, 10.0, 11.0), Run(1, 200, 14.0, 14.5)]}
    assert recoveries_s(runs, [Struck("x", 12.0, frozenset({100}))]) == []
