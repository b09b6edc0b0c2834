"""Who may come in: hosts that requests may name, and origins whose pages may call."""

import re
from ipaddress import ip_address, ip_network

from zypher.errors import SettingsError
from zypher.http.answer import Answer, Header
from zypher.http.problems import Problem
from zypher.http.request import Headers, Request
from zypher.settings import HttpSettings

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{0,5})?")
_PATTERN = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\*")
_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")
_LOCAL = ("localhost", "*.localhost")
_MOST_KNOWN = 1_000
_CLOSE = (b"connection", b"close")

_METHODS = b"GET, POST, DELETE, HEAD"
_ALLOWED_HEADERS = b"Accept, Async-Mode, Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-API-Key"
_EXPOSED = b"Location, Prediction-Id, Preference-Applied, Queue-Position, Retry-After"


class Hosts:
    """The hosts that a request may name: else a page whose name leads here could read what it may not (DNS rebinding).

    Without `allowed_host`: on loopback localhost, *.localhost and IP addresses, elsewhere every host.
    """

    def __init__(self, settings: HttpSettings) -> None:
        """Raises `SettingsError` for a pattern that no host can fit."""
        for pattern in settings.allowed_host:
            if not _PATTERN.fullmatch(pattern) and not _is_address(pattern):
                raise SettingsError(
                    f"--allowed-host {pattern} is no host; name one as api.example.com or *.example.com."
                )
        self._any = "*" in settings.allowed_host or not (settings.allowed_host or settings.on_loopback)
        self._patterns = [pattern.lower().rstrip(".") for pattern in settings.allowed_host or _LOCAL]
        self._addresses = not settings.allowed_host
        self._known: set[bytes] = set()  # those that were let in

    def check(self, request: Request) -> None:
        """Raise `Problem` unless the request names a host that may be named, once."""
        if request.repeated:
            name = request.repeated.decode().title()
            raise Problem(400, f"A request bears the header {name} only once; leave the other out.", _CLOSE)
        host = request.headers.get(b"host")
        if host in self._known:
            return
        if host is None:
            if request.http_version == "1.1":
                raise Problem(400, "A request names its host; add the header Host.", _CLOSE)
            return
        found = _HOST.fullmatch(host.decode("latin-1"))
        if found is None:
            raise Problem(400, "The header Host names no host; correct it and send the request again.", _CLOSE)
        if not self._allows(found["name"].lower().rstrip(".")):
            raise Problem(400, "This host is not served here; if it should be, start the server with --allowed-host.")
        if len(self._known) < _MOST_KNOWN:
            self._known.add(host)

    def _allows(self, name: str) -> bool:
        if self._any or (self._addresses and _is_address(name)):
            return True
        return any(name == each or (each[0] == "*" and name.endswith(each[1:])) for each in self._patterns)


def check_proxies(settings: HttpSettings) -> None:
    """Raise `SettingsError` for a proxy that is neither an address, a network nor *."""
    for proxy in settings.forwarded_allow_ips:
        try:
            if proxy != "*":
                ip_network(proxy)
        except ValueError:
            raise SettingsError(
                f"--forwarded-allow-ips {proxy} is no address or network; name one as 10.0.0.1 or 10.0.0.0/8, or *."
            ) from None


class Origins:
    """The origins whose pages may call from a browser, as the Fetch standard says (CORS)."""

    def __init__(self, settings: HttpSettings) -> None:
        """Raises `SettingsError` for what is no origin."""
        for origin in settings.cors_origin:
            if not _is_origin(origin):
                raise SettingsError(
                    f"--cors-origin {origin} is no origin; name one as https://app.example.com, without a path, or *."
                )
        self._any = "*" in settings.cors_origin
        self._origins = {origin.lower().encode() for origin in settings.cors_origin}

    def preflight(self, request: Request) -> Answer | None:
        """The answer to a browser that asks whether it may call; None for every other request."""
        if request.method != "OPTIONS" or not self._origins:
            return None
        if b"access-control-request-method" not in request.headers:
            return None
        allowed = self.headers(request.headers)
        if len(allowed) > 1:
            allowed = (
                *allowed,
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-allow-headers", _ALLOWED_HEADERS),
                (b"access-control-max-age", b"600"),
            )
        return Answer(204, b"", allowed)

    def headers(self, headers: Headers) -> tuple[Header, ...]:
        """What an answer to this request says of who may read it."""
        if not self._origins:
            return ()
        origin = headers.get(b"origin", b"")
        if not origin or not (self._any or origin.lower() in self._origins):
            return ((b"vary", b"Origin"),)
        return (
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", b"*" if self._any else origin),
            (b"access-control-expose-headers", _EXPOSED),
        )


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _is_origin(text: str) -> bool:
    return text == "*" or _ORIGIN.fullmatch(text) is not None
