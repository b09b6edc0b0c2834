"""The origins whose pages may call from a browser, by the Fetch standard (CORS)."""

import re
from collections.abc import Mapping

from zypher.errors import SettingsError

_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")
_METHODS = b"GET, POST, DELETE, HEAD"
_ALLOWED_HEADERS = b"Accept, Async-Mode, Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-API-Key"
_EXPOSED = b"Location, Prediction-Id, Preference-Applied, Queue-Position, Retry-After"
_VARIES = (b"vary", b"Origin")

Fields = tuple[tuple[bytes, bytes], ...]


class Origins:
    """The response headers that allow pages of other origins to read it."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        """Raises `SettingsError` for what is no origin."""
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise SettingsError(
                    f"--cors-origin {origin} is no origin; name one as https://app.example.com, without a path, or *."
                )
        self._any = "*" in origins
        self._origins = {origin.lower().encode() for origin in origins}

    def headers(self, request: Mapping[bytes, bytes]) -> Fields:
        """Those of the answer to a request with these headers."""
        if not self._origins:
            return ()
        origin = request.get(b"origin", b"")
        if not origin or not (self._any or origin.lower() in self._origins):
            return (_VARIES,)
        allowed = b"*" if self._any else origin
        return (_VARIES, (b"access-control-allow-origin", allowed), (b"access-control-expose-headers", _EXPOSED))

    def preflight(self, request: Mapping[bytes, bytes]) -> Fields | None:
        """Those of the answer to a browser's OPTIONS; None when it does not ask whether it may call."""
        if not self._origins or b"access-control-request-method" not in request:
            return None
        if len(self.headers(request)) == 1:
            return ()
        return (
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", b"600"),
        )
