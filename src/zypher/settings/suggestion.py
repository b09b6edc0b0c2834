"""The name somebody may have meant."""

import difflib
from collections.abc import Iterable


def suggestion(word: str, known: Iterable[str]) -> str:
    """The question whether the known word closest to `word` was meant; "" when none is close."""
    closest = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f" Did you mean {closest[0]}?" if closest else ""
