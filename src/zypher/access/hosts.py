"""The hosts that a request may name."""

import re
from ipaddress import ip_address

from zypher.errors import SettingsError
from zypher.settings import HttpSettings

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{0,5})?")
_PATTERN = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\*")
_LOCAL = ("localhost", "*.localhost")
_MOST_KNOWN = 1_000


class Hosts:
    """What a page whose name leads here must not name, else it could read what it may not (DNS rebinding).

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

    def problem(self, host: bytes | None, http_version: str) -> str | None:
        """Why a request with this header is refused, a sentence, if it is."""
        if host in self._known:
            return None
        if host is None:
            return "The header Host is missing; add it." if http_version == "1.1" else None
        found = _HOST.fullmatch(host.decode("latin-1"))
        if found is None:
            return "The header Host names no host; correct it and send the request again."
        if not self._allows(found["name"].lower().rstrip(".")):
            return "This host is not served here; if it should be, start the server with --allowed-host."
        if len(self._known) < _MOST_KNOWN:
            self._known.add(host)
        return None

    def _allows(self, name: str) -> bool:
        if self._any or (self._addresses and _is_address(name)):
            return True
        return any(name == each or (each[0] == "*" and name.endswith(each[1:])) for each in self._patterns)


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
