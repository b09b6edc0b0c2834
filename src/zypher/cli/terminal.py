"""How a command reports: exit codes, results on standard output, everything else on standard error."""

import shutil
import sys
from types import TracebackType
from typing import Self

from zypher.cli.tables import fitted
from zypher.text import printable

DONE = 0
FAILED = 1  # the prediction failed, or the server did not answer or answered an error
USAGE_ERROR = 2  # the command, a setting or the model is wrong
SIGNALLED = 128  # and the number of the signal, as a shell reports it
INTERRUPTED = 130  # as a shell reports SIGINT; of serve and worker: a second signal cut the drain
BROKEN_PIPE = 141  # the reader of the output closed it; as a shell reports SIGPIPE


def print_error(sentence: str, details: str = "") -> None:
    """Print an error, and its details below it, to standard error."""
    finish_log()
    print(printable(f"zypher: {sentence}"), file=sys.stderr)
    if details:
        print(printable(details.rstrip("\n")), file=sys.stderr)


def finish_log() -> None:
    """Let what the log has so far be written before what is printed next; where this command has a log."""
    writer = sys.modules.get("zypher.telemetry.log_writer")
    if writer is not None:
        writer.standard_error.flush()


def print_json(value: object) -> None:
    """Print as JSON: indented on a terminal, one line otherwise. `msgspec.Raw` is JSON already."""
    print(shown_json(value, indent=2 if sys.stdout.isatty() else -1))


def shown_json(value: object, indent: int) -> str:
    """`value` as JSON without control characters; one line without spaces when `indent` is -1."""
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
    """Lines that are drawn again and again in place on a terminal."""

    def __init__(self) -> None:
        self._lines = 0  # drawn so far

    def show(self, text: str) -> None:
        size = shutil.get_terminal_size()
        lines = fitted(printable(text), size.columns, size.lines - 1).split("\n")
        up = f"\x1b[{self._lines}A" if self._lines else ""
        # Each line in the place of an old one: a screen that is wiped first flickers, and fills the scrollback.
        print(up + "\n".join(f"\x1b[K{line}" for line in lines), end="\n\x1b[J", flush=True)
        self._lines = len(lines)
