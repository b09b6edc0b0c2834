"""Declining another protocol, whatever it is: the request is read again as if it had not been offered."""

from zypher.http.request import Headers


def head_without_upgrade(method: bytes, target: bytes, version: str, headers: Headers) -> bytes:
    """The head of the same request, offering no other protocol."""
    lines = [b"%b %b HTTP/%b\r\n" % (method, target, version.encode())]
    for name, value in headers.items():
        if name == b"connection":
            options = [option.strip() for option in value.split(b",") if option.strip().lower() != b"upgrade"]
            lines.append(b"connection: %b\r\n" % b", ".join(options))
        elif name != b"upgrade":
            lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join([*lines, b"\r\n"])
