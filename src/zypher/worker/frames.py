"""How messages are framed in the socket between a worker and a replica.

A frame is a mark of four bytes, a length of four, big-endian, and a msgpack array of messages. The mark is there
because a model can write to any descriptor of its process: what it writes to this one must not pass for a length.

A message with a large input, output or event, its content, has a frame of its own, with another mark. In it the
message is without its content, whose length, of eight bytes, precedes the array, and which follows it. So content is
sent from where it is, and received to where it stays.
"""

from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple, TypeVar

import msgspec

from zypher.worker.protocol import Failed, Reported, Run, Succeeded, ToReplica, ToWorker

HEAD = Struct(">4sI")
HEAD_BYTES = HEAD.size
MARK = b"zyph"
LARGE_MARK = b"Zyph"
CONTENT_LENGTH = Struct(">Q")

_HEAD = bytes(HEAD_BYTES)
_LARGE_HEAD = bytes(HEAD_BYTES + CONTENT_LENGTH.size)
_TOGETHER_BYTES = 1_048_576  # of messages that share a frame: one is held as a whole until it is decoded
_LARGE_BYTES = 131_072  # of content that is framed by itself

LONGEST_BYTES = 1 << 40  # of a frame to a replica: an input is as long as the server accepted it

_encoder = msgspec.msgpack.Encoder()
_to_replica = msgspec.msgpack.Decoder(list[ToReplica])
_to_worker = msgspec.msgpack.Decoder(list[ToWorker])

MessageT = TypeVar("MessageT", bound=ToReplica | ToWorker)


class BadFrame(Exception):
    """Something that is no frame, or one too long; what follows cannot be understood either."""


class WithContent(NamedTuple):
    """The body of a frame with large content."""

    message: bytes  # a msgpack array of one message, its content empty
    content: bytes


Body = memoryview | WithContent  # of a frame; the former is a msgpack array of messages


def frame(messages: Sequence[ToReplica | ToWorker]) -> bytearray:
    """The bytes of these messages in one frame."""
    framed = bytearray(_HEAD)
    _encoder.encode_into(messages, framed, HEAD_BYTES)
    HEAD.pack_into(framed, 0, MARK, len(framed) - HEAD_BYTES)
    return framed


def take_frame(messages: list[ToReplica | ToWorker]) -> tuple[bytes | bytearray, ...]:
    """Take the first messages, as many as share a frame, and give its bytes in pieces."""
    count, size_bytes = 0, 0
    for message in messages:
        content_bytes = len(_content(message))
        size_bytes += content_bytes + (len(message.details) if isinstance(message, Failed) else 0)
        if size_bytes > _TOGETHER_BYTES or content_bytes > _LARGE_BYTES:
            break
        count += 1
    if not count:
        return _large_frame(messages.pop(0))
    framed = frame(messages[:count])
    del messages[:count]
    return (framed,)


def _large_frame(message: ToReplica | ToWorker) -> tuple[bytes | bytearray, ...]:
    content = _content(message)
    framed = bytearray(_LARGE_HEAD)
    _encoder.encode_into([_with_content(message, b"")], framed, len(_LARGE_HEAD))
    HEAD.pack_into(framed, 0, LARGE_MARK, len(framed) - HEAD_BYTES)
    CONTENT_LENGTH.pack_into(framed, HEAD_BYTES, len(content))
    return framed, content


def _content(message: ToReplica | ToWorker) -> bytes:
    match message:
        case Run():
            return message.input
        case Succeeded():
            return message.output
        case Reported():
            return message.content
        case _:
            return b""


def _with_content(message: MessageT, content: bytes) -> MessageT:
    """Raises `BadFrame` for a message that has none."""
    match message:
        case Run():
            return msgspec.structs.replace(message, input=content)
        case Succeeded():
            return msgspec.structs.replace(message, output=content)
        case Reported():
            return msgspec.structs.replace(message, content=content)
        case _:
            raise BadFrame


def decode_to_replica(body: Body) -> list[ToReplica]:
    """The messages of a frame. Raises `BadFrame` and `msgspec.MsgspecError`."""
    if isinstance(body, memoryview):
        return _to_replica.decode(body)
    return [_with_content(_only(_to_replica.decode(body.message)), body.content)]


def decode_to_worker(body: Body) -> list[ToWorker]:
    """The messages of a frame. Raises `BadFrame` and `msgspec.MsgspecError`."""
    if isinstance(body, memoryview):
        return _to_worker.decode(body)
    return [_with_content(_only(_to_worker.decode(body.message)), body.content)]


def _only(messages: list[MessageT]) -> MessageT:
    if len(messages) != 1:
        raise BadFrame
    return messages[0]
