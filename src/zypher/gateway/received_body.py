"""The body of a request for a prediction as it is received, in pieces."""

import re
from io import SEEK_END, BytesIO

import msgspec

_BEFORE_TEXT = re.compile(rb'\{"input": ?(?=")')  # the usual envelope, up to an input that is a text
_AFTER = b"}"
_LONGEST_TEXT_BYTES = 16_777_216  # looked through within 20 ms, whatever is in it
_SMALL_BYTES = 131_072  # grows within the heap, among others
_OWN_PAGES_BYTES = 524_288  # a block of this size has pages of its own: see zypher.connections.heap

_scan = msgspec.json.Decoder(msgspec.Raw).decode


class ReceivedBody:
    """Held once: what the usual envelope has before a text is set aside, so that the text is not copied out of it.

    One that outgrows a small size moves to pages of its own early: in the heap it would leave a larger hole each time
    that it grows.
    """

    def __init__(self, *pieces: bytes) -> None:
        self._before = b""
        self._rest = BytesIO()
        self._small = True
        self._length = 0
        for piece in pieces:
            self.add(piece)

    def __len__(self) -> int:
        """How many bytes there are."""
        return self._length

    def add(self, piece: bytes) -> None:
        """The next piece."""
        if not self._length and (before := _BEFORE_TEXT.match(piece)):
            self._before = before[0]
            self._length = before.end()
            piece = piece[before.end() :]
        self._length += len(piece)
        if self._small and self._length > _SMALL_BYTES:
            self._move()
        self._rest.write(piece)

    def whole(self) -> bytes:
        """All of it."""
        rest = self._content()
        return self._before + rest if self._before else rest

    def take_text(self) -> bytes | None:
        """The JSON of the input if that is a well-formed text in ASCII, in the usual envelope and not too long.

        After that the body has no more than this. Else None, and it is what it was.
        """
        if not self._before or self._length > _LONGEST_TEXT_BYTES or not self._may_be_text():
            return None
        self._rest.seek(-len(_AFTER), SEEK_END)
        self._rest.truncate()
        text = self._rest.getvalue()
        try:
            _scan(text)
        except msgspec.DecodeError:
            del text
            self._rest.write(_AFTER)
            return None
        self._before = b""
        return text

    def _may_be_text(self) -> bool:
        rest = self._content()
        return rest.endswith(b'"' + _AFTER) and rest.isascii()

    def _content(self) -> bytes:
        """What was written: the same memory, as long as nothing is added."""
        self._rest.truncate()
        return self._rest.getvalue()

    def _move(self) -> None:
        small = self._rest.getvalue()
        self._small = False
        self._rest = BytesIO(bytes(_OWN_PAGES_BYTES))  # no page of it is in memory before it is written
        self._rest.write(small)
