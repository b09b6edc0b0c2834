"""The words for yes and no, in settings and in requests."""

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def truth_of(text: str) -> bool | None:
    """What `text` says, in capitals or not; None when it is none of the words."""
    return _WORDS.get(text.strip().lower())
