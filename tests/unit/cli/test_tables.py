import pytest

from zypher.cli.tables import duration, fitted, table


def test_numbers_are_set_right_and_words_left() -> None:
    assert table(("MODEL", "QUEUED", "OLDEST"), [("a", "7", "-"), ("long name", "100", "12 s")]) == (
        "MODEL      QUEUED  OLDEST\na               7       -\nlong name     100    12 s"
    )


def test_a_table_without_rows_is_its_heading() -> None:
    assert table(("MODEL", "QUEUED"), []) == "MODEL  QUEUED"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (119.0, "119 s"),
        (125.0, "2 min"),
        (7_199.0, "120 min"),
        (7_201.0, "2 h"),
        (500_000.0, "6 d"),
    ],
)
def test_a_duration_has_a_fitting_unit(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_wide_lines_wrap_within_the_height_of_the_screen() -> None:
    assert fitted("abcdefg\n\nab", columns=3, lines=5) == "abc\ndef\ng\n\nab"
    assert fitted("1\n2\n3\n4", columns=80, lines=3) == "1\n2\n… 2 more lines"
