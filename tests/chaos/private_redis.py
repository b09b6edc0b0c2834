"""A redis-server of the suite's own that writes every command to disk before it answers."""

import contextlib
import signal
import socket
import time
from pathlib import Path

from tests.chaos.member import Member

_START_S = 10.0
_LOOK_AGAIN_S = 0.02


class PrivateRedis:
    """On one port and one folder, over all its starts."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        folder = directory / "redis"
        folder.mkdir()
        self.member = Member("redis", _command(self.port, folder), directory)

    def start(self) -> None:
        """Return once it answers, with everything that it had answered for before."""
        self.member.start()
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert time.monotonic() < deadline, f"redis-server does not start:\n{self.member.printed()}"
            time.sleep(_LOOK_AGAIN_S)

    def kill(self) -> None:
        self.member.signal(signal.SIGKILL)
        self.member.wait(_START_S)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), _START_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _command(port: int, folder: Path) -> list[str]:
    return [
        "redis-server",
        *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "always"),
    ]
