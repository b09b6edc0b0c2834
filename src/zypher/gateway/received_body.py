"""The body of a request for a prediction as it is received, in pieces."""

import re
from io import SEEK_END, BytesIO

import msgspec

_BEFORE_TEXT = re.compile(rb'\{"input": ?(?=")')  # the usual envelope, up to an input that is a text
_AFTER = b"}"
_LONGEST_TEXT_BYTES = 16_777_216  # looked through within 20 ms, whatever is in it

_scan = msgspec.json.Decoder(msgspec.Raw).decode


class ReceivedBody:
    """Held once: what the usual envelope has before a text is set aside, so that the text is not copied out of it."""

    def __init__(self, *pieces: bytes) -> None:
        self._before = b""
        self._rest = BytesIO()
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
        self._length += self._rest.write(piece)

    def whole(self) -> bytes:
        """All of it."""
        rest = self._rest.getvalue()
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
        rest = self._rest.getvalue()  # the same memory, as long as nothing is added
        return rest.endswith(b'"' + _AFTER) and rest.isascii()
