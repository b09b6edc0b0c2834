"""How much of a kind a replica may add to the log."""

from tests.fake_clock import FakeClock
from zypher.worker.log_budget import LogBudget


def test_a_model_may_print_ten_thousand_lines_in_one_go() -> None:
    budget = LogBudget(FakeClock())
    for _ in range(10_000):
        budget.use(1, 200)
    assert not budget.spent


def test_ten_thousand_lines_a_second_never_spend_it() -> None:
    clock = FakeClock()
    budget = LogBudget(clock)
    for _ in range(10_000):
        clock.advance(0.01)
        budget.use(100, 10_000)
        assert not budget.spent


def test_a_spent_budget_resumes_after_a_second() -> None:
    clock = FakeClock()
    budget = LogBudget(clock)
    budget.use(20_000, 40_000)
    assert budget.spent
    clock.advance(0.9)
    assert not budget.resumes()
    clock.advance(0.2)
    assert budget.resumes()
    assert not budget.spent


def test_few_long_lines_spend_it_too() -> None:
    budget = LogBudget(FakeClock())
    budget.use(8, 8_388_608)
    assert budget.spent
