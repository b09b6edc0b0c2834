"""A port that a process of ours may listen on, also after it was away for a while."""

import random
import socket

# Below what systems give to clients: while a server is away, nobody who connects to it is given its own port.
_PORTS = range(10_000, 30_000)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    while True:
        port = random.SystemRandom().choice(_PORTS)  # not the random numbers of the tests, which come again
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
