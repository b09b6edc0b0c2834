"""A process with an HTTP server."""

import logging
import socket

from zypher.connections.server import HttpServer
from zypher.service.lifecycle import Process
from zypher.service.sockets import Address, close_listener, listen, url_of

logger = logging.getLogger(__name__)

_LAST_RESPONSES_S = 5.0  # for responses that stopping the worker makes possible


class HttpProcess:
    """A process with an HTTP server: it binds its address first, and serves until the process has stopped.

    A drain waits up to `responses_timeout_s` for responses in progress, beyond what the process itself waits for.
    """

    def __init__(
        self, process: Process, server: HttpServer, address: Address, responses_timeout_s: float = 0.0
    ) -> None:
        self.died = process.died
        self.get_ready = process.get_ready
        self._process = process
        self._server = server
        self._address = address
        self._responses_timeout_s = responses_timeout_s
        self._listener: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where it can be reached, once it has started."""
        assert self._listener is not None, "it has started"
        return url_of(self._listener, self._address, self._server.scheme)

    async def start(self) -> None:
        self._listener = listen(self._address)
        await self._process.start()
        await self._server.start(self._listener)
        logger.info("listening", extra={"url": self.url})

    def retire(self) -> None:
        self._process.retire()
        self._server.retire()

    async def drain(self) -> None:
        await self._process.drain()
        await self._server.wait_for_responses(self._responses_timeout_s)

    async def stop(self) -> None:
        try:
            await self._process.stop()
        finally:
            await self._server.stop(_LAST_RESPONSES_S)
            if self._listener is not None:
                close_listener(self._listener, self._address)

    def hurry(self) -> None:
        self._process.hurry()
        self._server.hurry()
