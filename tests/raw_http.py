"""HTTP by hand, for what no client would send."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

_PATIENCE_S = 20.0


class RawConnection:
    """A connection to a server; closed at the end of the `with` block."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=_PATIENCE_S)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def drip(self, pieces: Iterable[bytes], pause_s: float) -> None:
        """Send a piece after each pause until the server answers or hangs up."""
        for piece in pieces:
            self._socket.settimeout(pause_s)
            try:
                self._socket.recv(1, socket.MSG_PEEK)
                break
            except TimeoutError:
                self._socket.sendall(piece)
            except ConnectionError:
                break
        self._socket.settimeout(_PATIENCE_S)

    def receive(self) -> bytes:
        """Everything that comes until the server closes the connection."""
        received: list[bytes] = []
        try:
            while data := self._socket.recv(65_536):
                received.append(data)
        except ConnectionResetError:
            pass
        return b"".join(received)

    def receive_head(self) -> bytes:
        """The status line and headers of the next answer, as soon as they are there."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = self._socket.recv(1)
            assert data, f"The server hung up after {head!r}."
            head += data
        return head

    def receive_status(self) -> int:
        """The status of the next answer."""
        return int(self.receive_head().split()[1])

    def hang_up(self) -> None:
        self._socket.close()

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def post(body: bytes, *headers: str) -> bytes:
    """A whole request for a prediction."""
    lines = ["POST /predict HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
