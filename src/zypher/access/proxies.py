"""The proxies whose X-Forwarded headers are believed."""

from collections.abc import Iterable
from ipaddress import ip_network

from zypher.errors import SettingsError


def check_proxies(proxies: Iterable[str]) -> None:
    """Raise `SettingsError` for one that is neither an address, a network nor *."""
    for proxy in proxies:
        try:
            if proxy != "*":
                ip_network(proxy)
        except ValueError:
            raise SettingsError(
                f"--forwarded-allow-ips {proxy} is no address or network; name one as 10.0.0.1 or 10.0.0.0/8, or *."
            ) from None
