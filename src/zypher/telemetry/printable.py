"""Foreign text made harmless: for a terminal, for UTF-8."""

import re

# Control characters but tab and newline, those that turn the writing's direction or end a line, lone surrogates.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` with each character that could command a terminal written as its JSON escape."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def encodable(text: str) -> str:
    """`text` as UTF-8 can carry it: each lone surrogate becomes a question mark."""
    return text if text.isascii() else text.encode(errors="replace").decode()
