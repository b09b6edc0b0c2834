"""What people see: results on standard output, everything else on standard error."""

import shutil
import sys
from types import TracebackType
from typing import Self

from zypher.cli.tables import fitted
from zypher.telemetry.printable import printable


def complain(sentence: str, details: str = "") -> None:
    """Say what went wrong, and below it whatever was added to it."""
    print(printable(f"zypher: {sentence}"), file=sys.stderr)
    if details:
        print(printable(details.rstrip("\n")), file=sys.stderr)


def print_json(value: object) -> None:
    """Print as JSON: indented on a terminal, one line otherwise. `msgspec.Raw` is JSON already."""
    print(shown_json(value, indent=2 if sys.stdout.isatty() else -1))


def shown_json(value: object, indent: int) -> str:
    """`value` as JSON that no terminal obeys; one line without spaces when `indent` is -1."""
    import msgspec

    return printable(msgspec.json.format(msgspec.json.encode(value), indent=indent).decode(errors="replace"))


class LiveLine:
    """A line that is drawn again and again on a terminal; anywhere else nothing is drawn."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self.live:
            print(f"\r\x1b[K{printable(text)}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.show("")


class LiveTable:
    """Lines that are drawn again and again in place on a terminal, until Ctrl-C."""

    def __init__(self) -> None:
        self._lines = 0  # drawn so far

    def show(self, text: str) -> None:
        size = shutil.get_terminal_size()
        lines = fitted(printable(text), size.columns, size.lines - 1).split("\n")
        up = f"\x1b[{self._lines}A" if self._lines else ""
        # Each line in the place of an old one: a screen that is wiped first flickers, and fills the scrollback.
        print(up + "\n".join(f"\x1b[K{line}" for line in lines), end="\n\x1b[J", flush=True)
        self._lines = len(lines)
