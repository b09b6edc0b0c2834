"""A process that sends each input back as it is: `python -m bench.echo SOCKET`, a descriptor that it inherits."""

import socket
import sys

from zypher.replica.channel import Channel
from zypher.worker.protocol import Run, Succeeded


def main() -> None:
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    while (messages := channel.receive()) is not None:
        for message in messages:
            assert isinstance(message, Run)
            channel.send(Succeeded(message.number, message.input, 0.0))


if __name__ == "__main__":
    main()
