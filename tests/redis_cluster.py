"""A Redis Cluster of our own: three primaries that share the slots."""

import random
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from tests.polling import wait_until
from tests.redis_client import RedisClient
from tests.redis_server import RedisServer

_NODES = 3
_SLOTS = 16_384
_BUS = 10_000  # a node talks to the others at its port and this


class RedisCluster:
    """Runs as long as the block lasts."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.nodes = [
            RedisServer(folder / str(port), "--cluster-enabled", "yes", *options, port=port)
            for port in _free_ports(_NODES)
        ]
        self.url = self.nodes[0].url
        self._stack = ExitStack()

    def __enter__(self) -> "RedisCluster":
        with ExitStack() as stack:
            for node in self.nodes:
                stack.enter_context(node)
            self._join()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def clients(self) -> list[RedisClient]:
        """A client for each node; close them."""
        return [node.client() for node in self.nodes]

    def _join(self) -> None:
        for number, node in enumerate(self.nodes):
            with node.client() as client:
                slots = range(number * _SLOTS // _NODES, (number + 1) * _SLOTS // _NODES)
                client.execute_command("CLUSTER", "ADDSLOTS", *slots)
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        with self.nodes[0].client() as client:
            for node in self.nodes[1:]:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port)
        for node in self.nodes:
            wait_until(lambda node=node: _agrees(node))


def _agrees(node: RedisServer) -> bool:
    with node.client() as client:
        state = client.execute_command("CLUSTER", "INFO")
    assert isinstance(state, bytes)
    # A node that need not cover all slots is ok before those of the others are known to it.
    expected = (b"cluster_state:ok", b"cluster_known_nodes:%d" % _NODES, b"cluster_slots_assigned:%d" % _SLOTS)
    return all(each in state for each in expected)


def _free_ports(number: int) -> list[int]:
    """Ports whose buses are free, too."""
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < number:
            port = random.randrange(20_000, 50_000)
            with suppress(OSError):
                for each in (port, port + _BUS):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", each))
                found.append(port)
    return found
