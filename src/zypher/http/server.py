"""Listening: bind, serve, drain."""

import asyncio
import errno
import socket
from collections.abc import Set as AbstractSet

from zypher.clock import Clock, Timer
from zypher.errors import ListenError
from zypher.http.connection import Connection, Shared
from zypher.http.request import App
from zypher.settings import HttpSettings

_BACKLOG = 2_048
_SWEEP_S = 1.0
_FAREWELL_S = 1.0  # for handlers to notice that their connections are closed


class HttpServer:
    """Serves an app over HTTP/1.1 at one address."""

    def __init__(self, app: App, settings: HttpSettings, clock: Clock) -> None:
        self._app = app
        self._settings = settings
        self.address = (settings.host, settings.port)
        self._clock = clock
        self._sweep_s = min(_SWEEP_S, settings.read_timeout_s / 4, settings.keep_alive_timeout_s / 4)
        # A reading is up to one sweep old when a deadline is computed from it: nobody is cut off early.
        self._shared = Shared(settings.read_timeout_s + self._sweep_s, settings.keep_alive_timeout_s + self._sweep_s)
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._sweep_timer: Timer | None = None

    def bind(self) -> None:
        """Take the address: who connects from now on is answered after `start`. Raises `ListenError`."""
        self._listener = _listen(self._settings.host, self._settings.port)
        host, port, *_ = self._listener.getsockname()
        self.address = (host, port)

    @property
    def url(self) -> str:
        """The address as a URL; the port is a real one, also when 0 was asked for."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def start(self) -> None:
        """Answer from now on."""
        loop = asyncio.get_running_loop()
        self._sweep()
        self._server = await loop.create_server(self._connection, sock=self._listener, backlog=_BACKLOG)

    async def answer_all(self, wait_s: float) -> None:
        """Return once the responses that are in progress now have ended, or after `wait_s` seconds."""
        answers = [connection.answer_in_progress for connection in self._shared.connections]
        await _all(self._shared.deserted.union(answer for answer in answers if answer is not None), wait_s)

    async def stop(self, grace_s: float) -> None:
        """Accept no connection, let the responses in progress end for up to `grace_s` seconds, close the rest."""
        if self._server is not None:
            self._server.close()
        connections = list(self._shared.connections)
        for connection in connections:
            connection.stop()
        await _all({connection.lost for connection in connections}, grace_s)
        for connection in list(self._shared.connections):
            connection.abort()
        await self.answer_all(_FAREWELL_S)
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        if self._listener is not None:
            self._listener.close()

    def _connection(self) -> Connection:
        return Connection(self._app, self._shared)

    def _sweep(self) -> None:
        """Refresh what connections read, end those whose deadline has passed, come again."""
        self._sweep_timer = self._clock.call_later(self._sweep_s, self._sweep)
        now_s = self._clock.monotonic()
        self._shared.refresh(now_s, self._clock.now())
        for connection in list(self._shared.connections):
            if connection.deadline_s <= now_s:
                connection.expire()


async def _all(futures: AbstractSet[asyncio.Future[None]], wait_s: float) -> None:
    if futures:
        await asyncio.wait(futures, timeout=wait_s)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:
        raise ListenError(f"Host {host} is no address of this machine; name another with --host.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise ListenError(_why(host, port, error)) from error
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is already in use; stop the other program or choose another with --port."
        case errno.EACCES:
            return f"Port {port} on {host} needs more rights than you have; choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"Host {host} is no address of this machine; name another with --host."
        case _:
            return f"Port {port} on {host} cannot be listened on ({error.strerror}); choose another with --port."
