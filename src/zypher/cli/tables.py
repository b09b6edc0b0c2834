"""Records as aligned columns, durations with a fitting unit."""

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"-|\d+(\.\d+)?( \w+)?")  # with a unit or not; - is none


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns, two spaces apart; a column of numbers is set right."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in heading]
    aligned = [_aligned(title, cells) for title, cells in zip(heading, columns, strict=True)]
    return "\n".join("  ".join(line).rstrip() for line in zip(*aligned, strict=True))


def duration(seconds: float | None) -> str:
    """Such as 0.4 s, 12 s, 3 min or 2 h; - for None."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size_s, unit in ((1, "s"), (60, "min"), (3_600, "h")):
        if seconds < 120 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def fitted(text: str, columns: int, lines: int) -> str:
    """As much of `text` as a screen of this size shows; a line that is too wide goes on in the next."""
    shown = [line[at : at + columns] for line in text.split("\n") for at in range(0, len(line) or 1, columns)]
    if len(shown) > lines:
        shown[lines - 1 :] = [f"… {len(shown) - lines + 1} more lines"]
    return "\n".join(shown)


def _aligned(title: str, cells: Sequence[str]) -> list[str]:
    width = max(len(cell) for cell in (title, *cells))
    right = all(_NUMBER.fullmatch(cell) for cell in cells)
    return [cell.rjust(width) if right else cell.ljust(width) for cell in (title, *cells)]
