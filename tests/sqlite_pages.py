"""The pages of a SQLite file, for a test that damages one of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

PAGE_BYTES = 4096
_TABLE_LEAF, _INDEX_LEAF = 13, 10
_TABLE_INTERIOR, _INDEX_INTERIOR = 5, 2
_FIRST_HEADER = 100  # bytes of the file's header, on page 1


def leaves(file: Path, name: str) -> list[int]:
    """The numbers of the leaf pages of a table or an index, in order of their keys."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
    return _leaves_below(file.read_bytes(), int(root))


def pages_with(file: Path, content: bytes) -> list[int]:
    """The numbers of the pages in which these bytes are."""
    data = file.read_bytes()
    pages = range(len(data) // PAGE_BYTES)
    return [page + 1 for page in pages if content in data[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]]


def damage(file: Path, page: int) -> None:
    """Overwrite a page with what no page begins with."""
    with file.open("r+b") as data:
        data.seek((page - 1) * PAGE_BYTES)
        data.write(b"\xa5" * PAGE_BYTES)


def _leaves_below(data: bytes, number: int) -> list[int]:
    page = data[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]
    start = _FIRST_HEADER if number == 1 else 0
    if page[start] in {_TABLE_LEAF, _INDEX_LEAF}:
        return [number]
    if page[start] not in {_TABLE_INTERIOR, _INDEX_INTERIOR}:  # damaged already
        return []
    cells = int.from_bytes(page[start + 3 : start + 5])
    pointers = [int.from_bytes(page[start + 12 + 2 * cell : start + 14 + 2 * cell]) for cell in range(cells)]
    children = [int.from_bytes(page[pointer : pointer + 4]) for pointer in pointers]
    children.append(int.from_bytes(page[start + 8 : start + 12]))
    return [leaf for child in children for leaf in _leaves_below(data, child)]
