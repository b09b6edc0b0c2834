"""The name somebody may have meant."""

import difflib
from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, None when none is much like it."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.7)), None)
