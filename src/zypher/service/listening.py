"""A process that others reach over HTTP."""

import logging
import socket

from zypher.connections.server import HttpServer
from zypher.service.life import Shape
from zypher.service.sockets import Address, forget, listen, url_of

logger = logging.getLogger(__name__)

_LAST_ANSWERS_S = 5.0  # for the answers that the end of the shape sets free


class Listening:
    """A shape with a server: its address is taken before the shape starts, and it answers until the shape has stopped.

    `answers_s` bounds how long a drain waits for the responses in progress, beyond what the shape waits for.
    """

    def __init__(self, shape: Shape, server: HttpServer, address: Address, answers_s: float = 0.0) -> None:
        self.died = shape.died
        self.get_ready = shape.get_ready
        self._shape = shape
        self._server = server
        self._address = address
        self._answers_s = answers_s
        self._listener: socket.socket | None = None

    async def start(self) -> None:
        self._listener = listen(self._address)
        await self._shape.start()
        await self._server.start(self._listener)
        logger.info("listening", extra={"url": url_of(self._listener, self._address, self._server.scheme)})

    async def drain(self) -> None:
        await self._shape.drain()
        await self._server.answer_all(self._answers_s)

    async def stop(self, *, in_haste: bool) -> None:
        try:
            await self._shape.stop(in_haste=in_haste)
        finally:
            await self._server.stop(0 if in_haste else _LAST_ANSWERS_S)
            if self._listener is not None:
                forget(self._listener, self._address)
