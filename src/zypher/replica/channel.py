"""The replica's end of the socket between it and its worker."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from select import POLLHUP, POLLIN, POLLOUT, poll  # by name, as all that a model may replace in its module
from threading import Lock

from zypher.worker.frame_reader import FrameReader
from zypher.worker.frames import LONGEST_BYTES, decode_to_replica, take_frame
from zypher.worker.protocol import ToReplica, ToWorker


class Channel:
    """Sends from any thread, receives in one.

    Sending waits while the worker takes nothing: a model that makes more than its worker can take is slowed down.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._sending = Lock()
        self._reader = FrameReader(LONGEST_BYTES)

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, *messages: ToWorker) -> None:
        """Send messages; once the worker is gone they are dropped."""
        outgoing: list[ToReplica | ToWorker] = list(messages)
        with self._sending:
            try:
                while outgoing:
                    for piece in take_frame(outgoing):
                        self._send_all(memoryview(piece))
            except OSError:
                return

    def _send_all(self, piece: memoryview) -> None:
        while piece:
            try:
                piece = piece[self._end.send(piece) :]
            except BlockingIOError:  # an event loop, or the model, has made the socket non-blocking
                self._wait(POLLOUT)

    def _wait(self, event: int) -> None:
        ready = poll()
        ready.register(self._end, event)
        ready.poll()

    def receive(self, *, wait: bool = True) -> list[ToReplica] | None:
        """Some messages, none when too little of one is there; None once the worker is gone.

        Without `wait` it may be called only when something is there.
        """
        try:
            count = self._end.recv_into(self._reader.space(), 0, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError:
            if wait:
                self._wait(POLLIN)
            return []
        except OSError:
            return None
        return list(self._decoded(count)) if count else None

    def _decoded(self, count: int) -> Iterator[ToReplica]:
        for body in self._reader.received(count):
            yield from decode_to_replica(body)

    def ended(self) -> bool:
        """Whether one of the two has ended it."""
        look = poll()
        look.register(self._end, 0)
        return any(event & POLLHUP for _, event in look.poll(0))

    def end(self) -> None:
        """Send and receive nothing more; the worker notices."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def detach(self) -> None:
        """Let this process, which was forked off the replica, neither send nor receive anything more."""
        self._sending = Lock()  # another thread may have held it when the process was forked
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, self._end.fileno(), inheritable=False)
        os.close(nowhere)
