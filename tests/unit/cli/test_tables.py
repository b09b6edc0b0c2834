import pytest

from zypher.cli.tables import fitted, span, table


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
def test_a_span_is_said_as_people_do(seconds: float | None, shown: str) -> None:
    assert span(seconds) == shown


def test_a_screen_shows_wide_lines_whole_and_as_many_as_it_has() -> None:
    assert fitted("abcdefg\n\nab", columns=3, lines=5) == "abc\ndef\ng\n\nab"
    assert fitted("1\n2\n3\n4", columns=80, lines=3) == "1\n2\n… 2 more lines"
