"""A process without an API whose health a machine can ask for: a worker in a container."""

import logging

from zypher.http.server import HttpServer
from zypher.service.life import Shape

logger = logging.getLogger(__name__)


class WithHealth:
    """A shape that answers for its health from the moment its engine is open until it has closed."""

    def __init__(self, shape: Shape, server: HttpServer) -> None:
        self.died = shape.died
        self.get_ready = shape.get_ready
        self.drain = shape.drain
        self._shape = shape
        self._server = server

    async def start(self) -> None:
        self._server.bind()
        await self._shape.start()
        await self._server.start()
        logger.info("answering for its health", extra={"url": self._server.url})

    async def stop(self, *, in_haste: bool) -> None:
        await self._shape.stop(in_haste=in_haste)
        await self._server.stop(0)
