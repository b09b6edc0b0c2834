"""The target of a request, taken apart."""

from urllib.parse import unquote

import httptools


def split_target(target: bytes) -> tuple[str, bytes]:
    """The path, unquoted, and the query of a request's target, whatever its form. Raises `ValueError`."""
    if not target.startswith(b"/") and target != b"*":
        target = _origin_form(target)
    path, _, query = target.partition(b"#")[0].partition(b"?")
    text = path.decode("ascii")
    return unquote(text) if "%" in text else text, query


def _origin_form(target: bytes) -> bytes:
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError as error:
        raise ValueError(f"{target!r} is no URL") from error
    path: bytes | None = url.path
    query: bytes | None = url.query
    return (path or b"/") + b"?" + (query or b"")
