"""The protocol between a worker and its replicas: what is said and how it is framed.

    worker  -> replica   Run
    replica -> worker    Loaded | LoadFailed, then Succeeded | Failed for each Run, in any order

A frame is a mark of two bytes, a length of six, big-endian, and a msgpack array of messages: all of one turn of
the event loop, each an array that begins with its kind. The mark is there because a model can write to any
descriptor of its process: what it writes to this one must not be taken for a length.
The end of the stream is the order to stop, and the sign of death.
"""

from collections.abc import Sequence

import msgspec

from zypher.model_card import ModelCard
from zypher.prediction import FailureKind

_MARK = b"zy"
_LARGE_BYTES = 1_048_576  # of messages that are better not put together
_LENGTH_BYTES = 6
_HEAD_BYTES = len(_MARK) + _LENGTH_BYTES


class Run(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Begin an attempt."""

    number: int  # of this attempt, unique on this connection
    prediction_id: str
    input: bytes  # JSON


class Loaded(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """The model is set up; the first message of a replica that can work."""

    card: ModelCard


class LoadFailed(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """The model could not be set up; the only message of a replica that cannot work."""

    message: str  # one sentence
    details: str  # the user's own traceback, may be empty


class Succeeded(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """An attempt returned."""

    number: int
    output: bytes  # JSON
    run_s: float


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """An attempt did not return an output."""

    number: int
    kind: FailureKind
    message: str  # one sentence
    details: str  # the user's own traceback, for the log
    run_s: float


ToReplica = Run
ToWorker = Loaded | LoadFailed | Succeeded | Failed

_encoder = msgspec.msgpack.Encoder()
_to_replica = msgspec.msgpack.Decoder(list[ToReplica])
_to_worker = msgspec.msgpack.Decoder(list[ToWorker])


def frame(messages: Sequence[ToReplica | ToWorker]) -> bytes:
    """The bytes of these messages, length first."""
    body = _encoder.encode(messages)
    return _MARK + len(body).to_bytes(_LENGTH_BYTES, "big") + body


def frames(messages: Sequence[ToReplica | ToWorker]) -> list[bytes]:
    """One frame; one for each message where together they are large: a frame is held as a whole until it is decoded."""
    together = frame(messages)
    if len(together) <= _LARGE_BYTES or len(messages) == 1:
        return [together]
    return [frame([message]) for message in messages]


def decode_to_replica(body: bytes) -> list[ToReplica]:
    return _to_replica.decode(body)


def decode_to_worker(body: bytes) -> list[ToWorker]:
    return _to_worker.decode(body)


class BadFrame(Exception):
    """Something that is no frame came through the socket; what follows cannot be understood either."""


class FrameReader:
    """Cuts a stream of bytes into frame bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that are whole now, in order. Raises `BadFrame`."""
        self._buffer += data
        bodies: list[bytes] = []
        start = 0
        while len(self._buffer) > start:
            if not _MARK.startswith(self._buffer[start : start + len(_MARK)]):
                raise BadFrame
            begin = start + _HEAD_BYTES
            end = begin + int.from_bytes(self._buffer[start + len(_MARK) : begin], "big")
            if len(self._buffer) < max(begin, end):
                break
            bodies.append(bytes(self._buffer[begin:end]))
            start = end
        del self._buffer[:start]
        return bodies
