"""The SQL statements of the journal: one per file of `sql/`, by its name."""

import re
from functools import cache
from importlib import resources

from zypher.engines.embedded import disk

_ONE_ROW = re.compile(r"\(\?(?:, \?)*\)(?!.*\(\?)", re.DOTALL)


@cache
def statement(name: str, rows: int = 1) -> str:
    """The text of sql/`name`.sql, its last group of parameters repeated for so many rows.

    One statement for many rows is one step, and after each step a thread waits for its turn.
    """
    text = (resources.files(disk) / "sql" / f"{name}.sql").read_text(encoding="utf-8").strip()
    return _ONE_ROW.sub(lambda group: ", ".join([group[0]] * rows), text) if rows > 1 else text


def sizes(rows: int, most: int = 128) -> list[int]:
    """The powers of two that add up to `rows`: few texts, so that each is prepared once only."""
    whole, rest = divmod(rows, most)
    return [most] * whole + [1 << bit for bit in range(rest.bit_length() - 1, -1, -1) if rest >> bit & 1]
