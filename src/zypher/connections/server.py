"""Serving an application with uvicorn: bind, answer, drain."""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from ipaddress import ip_network
from typing import cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from zypher.clock import Clock
from zypher.connections.connection import Connection
from zypher.connections.heap import set_mmap_threshold
from zypher.connections.sweep import Sweep
from zypher.connections.unread import UnreadResponses
from zypher.errors import ListenError, SettingsError
from zypher.http.app import Application
from zypher.settings import HttpSettings

_HANDLERS_END_S = 1.0  # for handlers to end once their connections are closed


class HttpServer:
    """Serves one application within a process life that is not uvicorn's."""

    def __init__(self, app: Application, settings: HttpSettings, clock: Clock) -> None:
        """Raises `StartError` for certificates and proxies that cannot be."""
        self._config = _config(app, settings)
        self._state = ServerState()
        self._sweep = Sweep(settings, clock, UnreadResponses(app.budget, clock, settings.read_timeout_s))
        self._server: asyncio.Server | None = None
        self._hurried = False

    @property
    def scheme(self) -> str:
        return "https" if self._config.is_ssl else "http"

    async def start(self, listener: socket.socket) -> None:
        """Serve the connections to this socket, those that wait in its backlog included."""
        set_mmap_threshold()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._connection, sock=listener, ssl=self._config.ssl, backlog=self._config.backlog
        )

    def retire(self) -> None:
        """From now on the next response on each connection is its last: its client connects elsewhere."""
        self._sweep.last_responses = True

    async def wait_for_responses(self, wait_s: float) -> None:
        """Return once the responses that are in progress now have ended, or after `wait_s` seconds."""
        await _all(set(self._state.tasks), wait_s)

    async def stop(self, grace_s: float) -> None:
        """Accept no connection, let the responses in progress end for up to `grace_s` seconds, close the rest."""
        if self._server is not None:
            self._server.close()
        connections = cast("set[Connection]", self._state.connections)
        for connection in list(connections):
            connection.shutdown()
        await self._sweep.emptied(0 if self._hurried else grace_s)
        for connection in list(connections):
            connection.transport.abort()
        await self.wait_for_responses(_HANDLERS_END_S)
        self._sweep.stop()

    def hurry(self) -> None:
        """Wait for no response any more, also in a `stop` that has begun."""
        self._hurried = True
        self._sweep.wait_no_longer()

    def _connection(self) -> Connection:
        return Connection(self._config, self._state, self._sweep)


def _config(app: Application, settings: HttpSettings) -> Config:
    """What uvicorn needs of the settings; certificates are read. Raises `ListenError`."""
    config = Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        root_path=settings.root_path or "",
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        ssl_certfile=settings.ssl_certfile,
        ssl_keyfile=settings.ssl_keyfile,
    )
    check_proxies(settings.forwarded_allow_ips)
    if settings.ssl_keyfile is not None and settings.ssl_certfile is None:
        raise ListenError("--ssl-keyfile needs a certificate; add --ssl-certfile.")
    try:
        config.load()
    except ssl.SSLError as error:
        raise ListenError(
            f"The certificate {settings.ssl_certfile} and its private key do not fit together or are "
            f"no PEM ({error.reason or error}); name others with --ssl-certfile and --ssl-keyfile."
        ) from error
    except OSError as error:
        raise ListenError(
            f"{error.filename or settings.ssl_certfile} cannot be read ({error.strerror}); "
            "name another with --ssl-certfile and --ssl-keyfile."
        ) from error
    return config


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


async def _all(tasks: AbstractSet[asyncio.Task[None]], wait_s: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=wait_s)
