"""The log of a replica as bytes in a pipe: records that the replica has formatted, between what anybody prints.

A record is cut into pieces that the pipe takes at once, each a line: those of threads and of forked processes stay
whole. In front of each piece is the mark of the replica, which is random: nothing that is printed can contain it.
"""

import os
from collections.abc import Iterator
from enum import Enum, auto
from select import PIPE_BUF

LONGEST_RECORD_BYTES = 1_048_576

_MARK = b"\x1e"  # with the digits behind it; the separator of RFC 7464
_KEY_BYTES = 16  # says which pieces belong together
_WHOLE, _FIRST, _NEXT, _LAST = b"=", b"<", b"-", b">"
_LONGEST_TEXT_BYTES = 8_192
_MOST_UNFINISHED_BYTES = 8 * LONGEST_RECORD_BYTES  # of records whose last piece has not come


def new_mark() -> bytes:
    """The mark of one replica."""
    return _MARK + _random()


def pieces(mark: bytes, record: str) -> Iterator[bytes]:
    """A record, each piece to be written by one call."""
    # A formatted record has no carriage return of its own.
    line = record.encode(errors="backslashreplace").replace(b"\n", b"\r")
    size = PIPE_BUF - len(mark) - len(_WHOLE) - _KEY_BYTES - len(b"\n")
    if len(line) <= size:
        yield mark + _WHOLE + line + b"\n"
        return
    key = _random()  # not a number, which forked processes would have in common
    for at in range(0, len(line), size):
        kind = _FIRST if at == 0 else _NEXT if at + size < len(line) else _LAST
        yield mark + kind + key + line[at : at + size] + b"\n"


class Kind(Enum):
    """What a line is."""

    TEXT = auto()  # written by what does not know the mark
    RECORD = auto()  # the replica formatted it
    CUT = auto()  # the beginning of such a record, whose end did not come


Line = tuple[Kind, bytes]


class LogLines:
    """Finds lines in the bytes of the pipe."""

    def __init__(self, mark: bytes) -> None:
        self.left_out = 0  # texts that were skipped
        self._mark = mark
        self._rest = b""  # behind the last newline
        self._text = b""  # the beginning of a text, before a record that came in between
        self._unfinished: dict[bytes, bytearray] = {}  # records by key

    def add(self, data: bytes) -> list[Line]:
        """The lines that end in these bytes; of a text that has no end, a part at a time."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        found: list[Line] = []
        for line in lines:
            text, mark, piece = line.partition(self._mark)
            self._text += text
            if mark:
                found += self._piece(piece)
            if not mark or len(self._text) > _LONGEST_TEXT_BYTES:
                found.append(self._take_text())
        while len(self._rest) > _LONGEST_TEXT_BYTES + PIPE_BUF:  # at its end a piece may have begun
            self._text += self._rest[:_LONGEST_TEXT_BYTES]
            self._rest = self._rest[_LONGEST_TEXT_BYTES:]
            found.append(self._take_text())
        return found

    def skip(self, data: bytes) -> list[Line]:
        """The records that end in these bytes; text that ends in them is left out and counted."""
        ended, newline, self._rest = (self._rest + data).rpartition(b"\n")
        ended += newline
        first, *others = ended.split(self._mark) if _MARK in ended else (ended,)  # one byte is found far sooner
        found: list[Line] = []
        texts = [self._text, first]
        for each in others:
            piece, _, text = each.partition(b"\n")
            found += self._piece(piece)
            texts.append(text)
        skipped, newline, self._text = b"".join(texts).rpartition(b"\n")
        self.left_out += skipped.count(b"\n") + len(newline)
        if len(self._text) + len(self._rest) > _LONGEST_TEXT_BYTES + PIPE_BUF:
            self.left_out += 1
            self._text, self._rest = b"", self._rest[-PIPE_BUF:]
        return found

    def flush(self) -> list[Line]:
        """A text that has no end yet; only for when nothing is left in the pipe."""
        self._text += self._rest
        self._rest = b""
        return [self._take_text()]

    def end(self) -> list[Line]:
        """All that has no end: nothing comes any more."""
        cut = [(Kind.CUT, _joined(record)) for record in self._unfinished.values()]
        self._unfinished.clear()
        return [*self.flush(), *cut]

    def _take_text(self) -> Line:
        text, self._text = self._text, b""
        return Kind.TEXT, text

    def _piece(self, piece: bytes) -> Iterator[Line]:
        kind, key, part = piece[:1], piece[1 : 1 + _KEY_BYTES], piece[1 + _KEY_BYTES :]
        if kind == _WHOLE:
            yield Kind.RECORD, _joined(piece[1:])
        elif kind == _FIRST:
            self._unfinished[key] = bytearray(part)
            yield from self._bound()
        elif key in self._unfinished:
            self._unfinished[key] += part
            if kind == _LAST:
                yield Kind.RECORD, _joined(self._unfinished.pop(key))
            else:
                yield from self._bound()

    def _bound(self) -> Iterator[Line]:
        while sum(map(len, self._unfinished.values())) > _MOST_UNFINISHED_BYTES:
            yield Kind.CUT, _joined(self._unfinished.pop(next(iter(self._unfinished))))


def _joined(line: bytes | bytearray) -> bytes:
    return bytes(line).replace(b"\r", b"\n")


def _random() -> bytes:
    return os.urandom(_KEY_BYTES // 2).hex().encode()
