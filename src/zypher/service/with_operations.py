"""A process whose engine an operator can look after from another process."""

from zypher.operations.server import OperationsServer
from zypher.service.life import Shape


class WithOperations:
    """A shape that answers operators from the moment its engine is open until it closes."""

    def __init__(self, shape: Shape, server: OperationsServer) -> None:
        self.died = shape.died
        self.get_ready = shape.get_ready
        self.drain = shape.drain
        self._shape = shape
        self._server = server

    async def start(self) -> None:
        await self._shape.start()
        await self._server.start()

    async def stop(self, *, in_haste: bool) -> None:
        await self._server.stop()
        await self._shape.stop(in_haste=in_haste)
