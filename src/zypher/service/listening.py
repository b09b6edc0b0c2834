"""A process that others reach over HTTP."""

import logging
import socket
from collections.abc import Sequence

from zypher.http.server import HttpServer
from zypher.service.life import Shape
from zypher.service.sockets import Address, forget, listen, url_of

logger = logging.getLogger(__name__)

_LAST_ANSWERS_S = 5.0  # for the answers that the end of the shape sets free


class Listening:
    """A shape with its servers: they take their addresses before it starts, and answer until it has stopped.

    `answers_s` bounds how long a drain waits for the responses in progress, beyond what the shape waits for.
    """

    def __init__(self, shape: Shape, servers: Sequence[tuple[HttpServer, Address]], answers_s: float = 0.0) -> None:
        self.died = shape.died
        self._shape = shape
        self._servers = servers
        self._answers_s = answers_s
        self._listeners: list[socket.socket] = []

    async def start(self) -> None:
        for _, address in self._servers:
            self._listeners.append(listen(address))
        await self._shape.start()
        for (server, _), listener in zip(self._servers, self._listeners, strict=True):
            await server.start(listener)
            logger.info("listening", extra={"url": url_of(listener, server.scheme)})

    async def get_ready(self) -> None:
        await self._shape.get_ready()

    async def drain(self) -> None:
        await self._shape.drain()
        for server, _ in self._servers:
            await server.answer_all(self._answers_s)

    async def stop(self, *, in_haste: bool) -> None:
        try:
            await self._shape.stop(in_haste=in_haste)
        finally:
            for server, _ in self._servers:
                await server.stop(0 if in_haste else _LAST_ANSWERS_S)
            for listener in self._listeners:
                forget(listener)
