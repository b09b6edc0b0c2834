"""Whether a host is this machine's own."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether `host` is localhost, 127.0.0.0/8 or ::1, with brackets or without."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
