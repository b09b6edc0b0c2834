"""Takes much, or gives much."""

from dataclasses import dataclass


@dataclass
class Item:
    """One of many."""

    a: int


class Bulk:
    """Counts a list, or makes a text of so many characters."""

    concurrency = 16

    async def predict(self, items: list[Item] | int) -> int | str:
        return "x" * items if isinstance(items, int) else len(items)
