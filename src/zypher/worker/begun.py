"""Which attempts a replica has begun, in memory that it shares with its worker.

Each slot of the replica has a cell of eight bytes, which holds the number of the last attempt that began there; a slot
for batches has one for each member, with 0 once that waits for another run. It is exact however the replica ends, and
costs neither process a message: a worker looks when it wants to know.
"""

import mmap
import os
import sys
import tempfile
from array import array

_CELL = "Q"
_CELL_BYTES = 8


def create() -> int:
    """A descriptor of such memory; it is gone with the last process that has it. Raises `OSError`."""
    if sys.platform == "linux":
        return os.memfd_create("zypher-begun")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def numbers(descriptor: int, count: int) -> list[int]:
    """What is in each cell, as far as the replica has got; fewer where it has none yet."""
    # Not mapped: a model that cuts the file short must not end its worker with SIGBUS.
    cells = os.pread(descriptor, count * _CELL_BYTES, 0)
    return array(_CELL, cells[: len(cells) - len(cells) % _CELL_BYTES]).tolist()


class BegunCells:
    """The replica's end."""

    def __init__(self, descriptor: int, count: int) -> None:
        """Take over the descriptor."""
        os.ftruncate(descriptor, count * _CELL_BYTES)
        self._cells = memoryview(mmap.mmap(descriptor, count * _CELL_BYTES)).cast(_CELL)
        os.close(descriptor)

    def begin(self, cell: int, number: int) -> None:
        """This attempt begins; or with 0, the one of this cell waits again."""
        self._cells[cell] = number

    def detach(self) -> None:
        """Note nothing more that the worker can see: this process was forked off the replica."""
        self._cells = memoryview(bytearray(len(self._cells) * _CELL_BYTES)).cast(_CELL)
