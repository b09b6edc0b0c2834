"""Async-Mode, Prefer, Idempotency-Key, time limits and `?wait`: pure parsing of headers and query."""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import replace

from zypher.gateway.gateway import NO_TERMS, Terms
from zypher.http.errors import HttpError
from zypher.http.request import Headers
from zypher.http.response import Header
from zypher.text import parse_bool

LONGEST_WAIT_S = 86_400
LONGEST_KEY = 255

_MOST_MODES = 32  # pairs of values that are kept parsed, each no longer than a head may be

_NAMES = frozenset({b"async-mode", b"prefer", b"idempotency-key", b"prediction-timeout", b"prediction-deadline"})
_KEY = re.compile(r"[\x20-\x7e]+")
_SPAN = re.compile(r"[1-9][0-9]{0,8}(?:\.[0-9]{1,9})?|0\.[0-9]{0,2}[1-9][0-9]{0,9}")  # from 0.001 on
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+"?|[,;]|[^",;]+')


class Preferences(msgspec.Struct, frozen=True):
    """What the client of a prediction asked for."""

    respond_async: bool = False  # answer 202 rather than wait
    prefers_async: bool = False  # it was RFC 7240's Prefer that asked for this
    wait_s: int | None = None  # wait that long before a 202; None: unsaid
    idempotency_key: str | None = None
    terms: Terms = NO_TERMS


_NONE = Preferences()


def read_preferences(headers: Headers) -> Preferences:
    """What these headers ask for. Raises `HttpError`."""
    if _NAMES.isdisjoint(headers):
        return _NONE
    preferences = _read_modes(headers.get(b"async-mode"), headers.get(b"prefer"))
    key = headers.get(b"idempotency-key")
    timeout, deadline = headers.get(b"prediction-timeout"), headers.get(b"prediction-deadline")
    if key is None and timeout is None and deadline is None:
        return preferences
    return replace(
        preferences,
        idempotency_key=None if key is None else _idempotency_key(key),
        terms=Terms(_span_s("Prediction-Timeout", timeout), _span_s("Prediction-Deadline", deadline)),
    )


def read_wait_s(query: bytes) -> int:
    """How many seconds a GET may wait, of `?wait=N`; 0 without it. Raises `HttpError`."""
    if not query:
        return 0
    values = set(parse_qs(query.decode("latin-1"), keep_blank_values=True).get("wait", ["0"]))
    wait_s = _seconds(values.pop())
    if wait_s is None or values:
        raise HttpError(400, "wait must be one whole number of seconds, as in ?wait=10.")
    return wait_s


def longest_wait_s(preferences: Preferences, cap_s: float | None) -> float | None:
    """How long a prediction's caller waits before it gets a 202: 0 not at all, None without end.

    `cap_s` is the server's own bound on a wait, None for none.
    """
    if preferences.wait_s is None:
        return 0 if preferences.respond_async else cap_s
    return preferences.wait_s if cap_s is None else min(preferences.wait_s, cap_s)


def applied(preferences: Preferences, wait_s: float | None, *, accepted: bool) -> tuple[Header, ...]:
    """RFC 7240's Preference-Applied, saying what a 202 (`accepted`) or an outcome honours; often no header."""
    tokens = ["respond-async"] if accepted and preferences.prefers_async else []
    if preferences.wait_s is not None and preferences.wait_s == wait_s:
        tokens.append(f"wait={preferences.wait_s}")
    return ((b"preference-applied", ", ".join(tokens).encode()),) if tokens else ()


@lru_cache(maxsize=_MOST_MODES)
def _read_modes(async_mode: bytes | None, prefer: bytes | None) -> Preferences:
    """What these two ask for. Nearly all requests have the same few values."""
    mode = None if async_mode is None else _async_mode(async_mode.decode("latin-1"))
    preferred = {} if prefer is None else _preferred(prefer.decode("latin-1"))
    prefers_async = mode is not False and "respond-async" in preferred
    return Preferences(
        respond_async=mode is True or prefers_async,
        prefers_async=prefers_async,
        wait_s=_seconds(preferred.get("wait", "")),
    )


def _async_mode(value: str) -> bool:
    modes = {parse_bool(word) for word in value.split(",")}
    mode = modes.pop()
    if mode is None or modes:
        raise HttpError(400, "Async-Mode must be true or false (or 1, 0, yes, no); send one of them, once.")
    return mode


def _idempotency_key(value: bytes) -> str:
    key = value.decode("latin-1").strip()
    if len(key) > LONGEST_KEY or not _KEY.fullmatch(key):
        raise HttpError(400, f"Idempotency-Key must have 1 to {LONGEST_KEY} printable ASCII characters.")
    return key


def _span_s(name: str, value: bytes | None) -> float | None:
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if not _SPAN.fullmatch(text):
        raise HttpError(400, f"{name} must be a number of seconds from 0.001 to 999999999, such as 30 or 0.5.")
    return float(text)


def _preferred(value: str) -> dict[str, str]:
    """The preferences of RFC 7240 by name, in lower case; of a repeated one the first counts."""
    preferred: dict[str, str] = {}
    for member in _members(value):
        name, _, word = member.partition("=")
        preferred.setdefault(name.strip().lower(), word.strip().strip('"'))
    return preferred


def _members(value: str) -> Iterator[str]:
    """The members of a list that commas separate, without their parameters; commas in quotes are none."""
    member, in_parameters = "", False
    for chunk in _PIECE.findall(value):
        if chunk == ",":
            yield member
            member, in_parameters = "", False
        elif chunk == ";":
            in_parameters = True
        elif not in_parameters:
            member += chunk
    yield member


def _seconds(text: str) -> int | None:
    """RFC 9110's delta-seconds, at most a day; None when it is none."""
    if not (text.isascii() and text.isdigit()):
        return None
    return min(int(text), LONGEST_WAIT_S) if len(text) < 10 else LONGEST_WAIT_S
