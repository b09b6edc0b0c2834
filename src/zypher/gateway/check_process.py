"""A process that checks large bodies: `python -m zypher.gateway.check_process`.

It reads frames on its standard input, a model's card or a body, and answers each body. It ends by itself when nothing
has come for a while, or when the server has gone.
"""

import gc
import logging
import os
import select
import signal
import struct
from collections.abc import Iterator

import msgspec

from zypher.errors import InvalidInput, MalformedBody
from zypher.gateway.envelope import input_in
from zypher.model_card import ModelCard
from zypher.models.schema import InputValidator

HEADER = struct.Struct("<cQ")  # what follows, and of how many bytes
CARD = b"c"
BODY = b"b"

_IDLE_S = 30.0
_IN, _OUT = 0, 1


class Accepted(msgspec.Struct, frozen=True, tag=True):
    """Where in the body the input is."""

    start: int
    end: int


class NotAccepted(msgspec.Struct, frozen=True, tag=True):
    """What is wrong with the body."""

    message: str
    malformed: bool  # else it is JSON that does not fit


CheckResult = Accepted | NotAccepted


def main() -> None:
    """Check bodies until none comes for a while, or standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the server ends this process
    logging.disable()  # the server has logged it already
    gc.disable()  # JSON has no cycles
    validator: InputValidator | None = None
    for what, content in _frames():
        if what == CARD:
            validator = InputValidator(msgspec.json.decode(content, type=ModelCard))
            continue
        assert validator is not None, "the card comes first"
        result = msgspec.json.encode(_checked(validator, content))
        os.write(_OUT, HEADER.pack(BODY, len(result)) + result)


def _frames() -> Iterator[tuple[bytes, bytes]]:
    while select.select([_IN], [], [], _IDLE_S)[0]:
        header = _read(HEADER.size)
        if len(header) < HEADER.size:
            return
        what, length = HEADER.unpack(header)
        yield what, _read(length)


def _read(length: int) -> bytes:
    """So many bytes, or fewer when the server has gone."""
    content = bytearray(length)
    view = memoryview(content)
    while view and (count := os.readv(_IN, [view])):
        view = view[count:]
    return bytes(content[: length - len(view)])


def _checked(validator: InputValidator, body: bytes) -> CheckResult:
    try:
        found = input_in(body)
        validator.check(body[found])
    except MalformedBody as error:
        return NotAccepted(str(error), malformed=True)
    except InvalidInput as error:
        return NotAccepted(str(error), malformed=False)
    return Accepted(found.start, found.stop)


if __name__ == "__main__":
    main()
