"""The SQL files and how they grow with the number of rows."""

from hypothesis import given
from hypothesis import strategies as st

from zypher.engines.embedded.disk.statements import sizes, statement


def test_a_statement_for_one_row_is_its_file() -> None:
    assert statement("delete_waiting") == "DELETE FROM waiting\nWHERE number IN (VALUES (?))"


def test_the_last_group_of_parameters_is_repeated() -> None:
    assert statement("delete_waiting", 3).endswith("IN (VALUES (?), (?), (?))")
    assert "(VALUES (?, ?, ?, ?), (?, ?, ?, ?))\nWHERE" in statement("replace_waiting", 2)
    assert statement("select_results", 2).endswith("IN (VALUES (?), (?))")


@given(st.integers(0, 5000))
def test_sizes_add_up_and_are_few(rows: int) -> None:
    parts = sizes(rows)
    assert sum(parts) == rows
    assert set(parts) <= {1, 2, 4, 8, 16, 32, 64, 128}
    assert len(parts) <= rows // 128 + 7
