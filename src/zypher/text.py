"""Text: made safe to print or encode, compared, parsed."""

import difflib
import re
from collections.abc import Iterable

# Control characters but tab and newline, those that turn the writing's direction or end a line, lone surrogates.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 2_000
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def printable(text: str) -> str:
    """`text` with terminal control characters written as JSON escapes."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def encodable(text: str) -> str:
    """`text` as UTF-8 can carry it: each lone surrogate becomes a question mark."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def shortened(text: str) -> str:
    """`text` for a response, which may quote a client or a model: at most 2,000 characters, as UTF-8 can carry them."""
    return encodable(text[:_LONGEST])


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, None when none is much like it."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.7)), None)


def parse_bool(text: str) -> bool | None:
    """True for true, 1 and yes, False for false, 0 and no, in any case; None for anything else."""
    return _BOOLEANS.get(text.strip().lower())
