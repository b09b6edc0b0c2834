"""The socket that a server listens on: of an address, or of a path."""

import errno
import os
import socket
import stat
from pathlib import Path

import msgspec

from zypher.errors import ListenError
from zypher.settings import HttpSettings
from zypher.socket_path import short_path

_BACKLOG = 2_048


class Address(msgspec.Struct, frozen=True):
    """Where a server listens: on a host and a port, or at a path."""

    host: str = ""
    port: int = 0
    path: Path | None = None
    mode: int = 0o666  # rights of the path


def address_of(settings: HttpSettings) -> Address:
    """The one that the settings name."""
    return Address(settings.host.removeprefix("[").removesuffix("]"), settings.port, settings.uds)


def listen(address: Address) -> socket.socket:
    """Who connects from now on waits to be answered. Raises `ListenError`."""
    return _listen_tcp(address.host, address.port) if address.path is None else _listen_unix(address.path, address.mode)


def _listen_unix(path: Path, mode: int) -> socket.socket:
    """A unix socket, in place of what a killed server left there."""
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(~mode & 0o777)
    try:
        _remove_stale(path)
        with short_path(path) as short:
            listener.bind(short)
        return _opened(listener)
    except OSError as error:
        listener.close()
        reason = error.strerror or error
        raise ListenError(f"The socket {path} cannot be made ({reason}); name another path.") from error
    except ListenError:
        listener.close()
        raise
    finally:
        os.umask(before)


def close_listener(listener: socket.socket, address: Address) -> None:
    """Close it; a path that it has is free again."""
    listener.close()
    if address.path is not None:
        address.path.unlink(missing_ok=True)


def url_of(listener: socket.socket, address: Address, scheme: str) -> str:
    """Where the socket can be reached, with the real port, also when 0 was asked for."""
    if address.path is not None:
        return f"{scheme}+unix://{address.path}"
    host, port, *_ = listener.getsockname()
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _listen_tcp(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:
        raise ListenError(f"Host {host} is no address of this machine; name another with --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return _opened(listener)
    except OSError as error:
        listener.close()
        raise ListenError(_why_not(host, port, error)) from error


def _opened(listener: socket.socket) -> socket.socket:
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} exists and is not a socket; name another path with --uds.")
    with socket.socket(socket.AF_UNIX) as caller:
        try:
            with short_path(path) as short:
                caller.connect(short)
        except ConnectionRefusedError:
            path.unlink()
            return
    raise ListenError(f"The socket {path} is in use; stop the other program or name another path with --uds.")


def _why_not(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is already in use; stop the other program or choose another with --port."
        case errno.EACCES:
            return f"Port {port} on {host} needs more rights than you have; choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"Host {host} is no address of this machine; name another with --host."
        case _:
            return f"Port {port} on {host} cannot be listened on ({error.strerror}); choose another with --port."
