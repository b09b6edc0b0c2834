"""A process with a socket for operators, who are in another process."""

import logging
import socket

from zypher.connections.server import HttpServer
from zypher.errors import ListenError
from zypher.service.lifecycle import Process
from zypher.service.sockets import Address, close_listener, listen

logger = logging.getLogger(__name__)


class OperatorSocket:
    """A process that serves operators while its engine is open.

    Where the socket cannot be made, it logs a warning and serves without it.
    """

    def __init__(self, process: Process, server: HttpServer, address: Address) -> None:
        self.died = process.died
        self.get_ready = process.get_ready
        self.retire = process.retire
        self.drain = process.drain
        self.hurry = process.hurry
        self._process = process
        self._server = server
        self._address = address
        self._listener: socket.socket | None = None

    async def start(self) -> None:
        await self._process.start()
        try:
            self._listener = listen(self._address)
        except ListenError as error:
            logger.warning("`zypher queue` will not find this server", extra={"problem": str(error)})
            return
        await self._server.start(self._listener)

    async def stop(self) -> None:
        await self._server.stop(0)
        if self._listener is not None:
            close_listener(self._listener, self._address)
        await self._process.stop()
