"""A process whose engine an operator can look after from another process."""

import logging
import socket

from zypher.connections.server import HttpServer
from zypher.errors import ListenError
from zypher.service.life import Shape
from zypher.service.sockets import Address, forget, listen

logger = logging.getLogger(__name__)


class Operated:
    """A shape that answers operators from the moment its engine is open until it closes.

    Where it cannot, it serves all the same, and says so in the log.
    """

    def __init__(self, shape: Shape, server: HttpServer, address: Address) -> None:
        self.died = shape.died
        self.get_ready = shape.get_ready
        self.drain = shape.drain
        self._shape = shape
        self._server = server
        self._address = address
        self._listener: socket.socket | None = None

    async def start(self) -> None:
        await self._shape.start()
        try:
            self._listener = listen(self._address)
        except ListenError as error:
            logger.warning("`zypher queue` will not find this server", extra={"problem": str(error)})
            return
        await self._server.start(self._listener)

    async def stop(self, *, in_haste: bool) -> None:
        await self._server.stop(0)
        if self._listener is not None:
            forget(self._listener, self._address)
        await self._shape.stop(in_haste=in_haste)
