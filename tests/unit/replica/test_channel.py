"""The replica's end of the socket."""

import socket

from zypher.replica.channel import Channel
from zypher.worker.protocol import Pong


def test_what_a_channel_sends_arrives_until_it_is_detached() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(theirs)
        channel.send(Pong(""))
        assert ours.recv(100)

        channel.detach()
        channel.send(Pong(""))

        assert ours.recv(100) == b""
        assert channel.receive() is None
