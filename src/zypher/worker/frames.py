"""How messages are framed in the socket between a worker and a replica.

A frame is a mark of two bytes, a length of six, big-endian, and a msgpack array of messages. The mark is there
because a model can write to any descriptor of its process: what it writes to this one must not pass for a length.
"""

from collections.abc import Iterator, Sequence

import msgspec

from zypher.worker.protocol import Run, Succeeded, ToReplica, ToWorker

_MARK = b"zy"
_LENGTH_BYTES = 6
_HEAD_BYTES = len(_MARK) + _LENGTH_BYTES
_HEAD = bytes(_HEAD_BYTES)
_CHUNK_BYTES = 262_144  # read at once; a longer frame gets a buffer of its own
_TOGETHER_BYTES = 1_048_576  # of messages that share a frame: one is held as a whole until it is decoded

LONGEST_BYTES = 1 << 40  # of a frame to a replica: an input is as long as the server accepted it

_encoder = msgspec.msgpack.Encoder()
_to_replica = msgspec.msgpack.Decoder(list[ToReplica])
_to_worker = msgspec.msgpack.Decoder(list[ToWorker])


class BadFrame(Exception):
    """Something that is no frame, or one too long; what follows cannot be understood either."""


def frame(messages: Sequence[ToReplica | ToWorker]) -> bytearray:
    """The bytes of these messages in one frame."""
    framed = bytearray(_HEAD)
    _encoder.encode_into(messages, framed, _HEAD_BYTES)
    framed[:_HEAD_BYTES] = _MARK + (len(framed) - _HEAD_BYTES).to_bytes(_LENGTH_BYTES, "big")
    return framed


def take_frame(messages: list[ToReplica | ToWorker]) -> bytearray:
    """Take the first messages, as many as share a frame, and give their bytes."""
    count, size_bytes = 0, 0
    for message in messages:
        size_bytes += _size_bytes(message)
        if count and size_bytes > _TOGETHER_BYTES:
            break
        count += 1
    framed = frame(messages[:count])
    del messages[:count]
    return framed


def _size_bytes(message: ToReplica | ToWorker) -> int:
    """About how long a message is."""
    match message:
        case Run():
            return len(message.input)
        case Succeeded():
            return len(message.output)
        case _:
            return 0


def decode_to_replica(body: memoryview) -> list[ToReplica]:
    """The messages of a frame. Raises `msgspec.MsgspecError`."""
    return _to_replica.decode(body)


def decode_to_worker(body: memoryview) -> list[ToWorker]:
    """The messages of a frame. Raises `msgspec.MsgspecError`."""
    return _to_worker.decode(body)


class FrameReader:
    """Cuts a stream of bytes into the bodies of frames, without copying a long one.

    Read into `space()`, then take the bodies that `received` finds: each is valid until the next is taken.
    """

    def __init__(self, longest_bytes: int) -> None:
        self._longest_bytes = longest_bytes
        self._chunk = bytearray(_CHUNK_BYTES)
        self._buffer = self._chunk
        self._filled = 0  # bytes at the front of the buffer that wait for the rest of their frame

    def space(self) -> memoryview:
        """Where to read to; never empty."""
        return memoryview(self._buffer)[self._filled :]

    def received(self, count: int) -> Iterator[memoryview]:
        """The bodies that are whole after `count` more bytes, in order. Raises `BadFrame`."""
        filled = self._filled + count
        view = memoryview(self._buffer)
        start = 0
        while filled - start >= (needed := self._frame_bytes(view[start:filled])):
            yield view[start + _HEAD_BYTES : start + needed]
            start += needed
        self._keep(view[start:filled], needed, moved=start > 0)

    def _frame_bytes(self, begun: memoryview) -> int:
        """The length of the frame that begins so; of its head, while more is not there."""
        if bytes(begun[: len(_MARK)]) != _MARK[: len(begun)]:
            raise BadFrame
        if len(begun) < _HEAD_BYTES:
            return _HEAD_BYTES
        length = int.from_bytes(begun[len(_MARK) : _HEAD_BYTES], "big")
        if length > self._longest_bytes:
            raise BadFrame
        return _HEAD_BYTES + length

    def _keep(self, rest: memoryview, needed: int, *, moved: bool) -> None:
        """Have the beginning of a frame where the rest of it fits behind."""
        if moved or needed > len(self._buffer):
            self._buffer = self._chunk if needed <= len(self._chunk) else bytearray(needed)
            memoryview(self._buffer)[: len(rest)] = rest
        self._filled = len(rest)
