"""Reads frames from a stream of bytes."""

from collections.abc import Iterator
from io import BytesIO

from zypher.worker.frames import (
    CONTENT_LENGTH,
    HEAD,
    HEAD_BYTES,
    LARGE_MARK,
    MARK,
    BadFrame,
    Body,
    WithContent,
)

_CHUNK_BYTES = 262_144  # read at once; a longer body gets a buffer of its own
_LARGE = LARGE_MARK[0]


class FrameReader:
    """Cuts a stream of bytes into the bodies of frames, without copying a long one.

    Read into `space()`, then take the bodies that `received` finds: each is valid until the next is taken.
    """

    def __init__(self, longest_bytes: int) -> None:
        self._longest_bytes = longest_bytes
        self._chunk = bytearray(_CHUNK_BYTES)
        self._buffer = self._chunk
        self._filled = 0  # bytes at the front of the buffer that wait for the rest of their frame
        self._content: _Content | None = None  # the large content that is being received

    def space(self) -> memoryview:
        """Where to read to; never empty."""
        return memoryview(self._buffer)[self._filled :] if self._content is None else self._content.space()

    def received(self, count: int) -> Iterator[Body]:
        """The bodies that are whole after `count` more bytes, in order. Raises `BadFrame`."""
        if self._content is not None:
            if self._content.add(count):
                yield self._take_content(self._content)
            return
        filled = self._filled + count
        view = memoryview(self._buffer)
        start = needed = 0
        while start < filled and filled - start >= (needed := self._frame_bytes(start, filled)):
            begin, start = start, start + needed
            body = view[begin + HEAD_BYTES : start]
            if view[begin] != _LARGE:
                yield body
                continue
            content = self._content = self._begin_content(body)
            start += content.fill(view[start:filled])
            if content.missing_bytes:
                break
            yield self._take_content(content)
        self._keep(view[start:filled], needed, moved=start > 0)

    def _frame_bytes(self, start: int, filled: int) -> int:
        """The length of the frame that begins here, without large content; of its head, while more is not there."""
        if filled - start < HEAD_BYTES:
            begun = bytes(self._buffer[start:filled])[: len(MARK)]
            if not MARK.startswith(begun) and not LARGE_MARK.startswith(begun):
                raise BadFrame
            return HEAD_BYTES
        mark, length = HEAD.unpack_from(self._buffer, start)
        if (mark != MARK and mark != LARGE_MARK) or length > self._longest_bytes:  # noqa: PLR1714  # for each frame
            raise BadFrame
        return HEAD_BYTES + length

    def _begin_content(self, body: memoryview) -> "_Content":
        length = int.from_bytes(body[: CONTENT_LENGTH.size])
        if not 0 < length <= self._longest_bytes - len(body):
            raise BadFrame
        return _Content(bytes(body[CONTENT_LENGTH.size :]), length)

    def _take_content(self, content: "_Content") -> WithContent:
        self._content = None
        return WithContent(content.message, content.value())

    def _keep(self, rest: memoryview, needed: int, *, moved: bool) -> None:
        """Have the beginning of a frame, if there is one, where the rest of it fits behind."""
        if not rest:
            self._buffer = self._chunk
        elif moved or needed > len(self._buffer):
            self._buffer = self._chunk if needed <= len(self._chunk) else bytearray(needed)
            memoryview(self._buffer)[: len(rest)] = rest
        self._filled = len(rest)


class _Content:
    """Large content that is being received, to where it stays."""

    def __init__(self, message: bytes, length: int) -> None:
        self.message = message
        self.missing_bytes = length
        self._length = length
        self._memory = BytesIO()
        self._memory.seek(length - 1)
        self._memory.write(b"\0")

    def space(self) -> memoryview:
        """Where the rest of it belongs."""
        return self._memory.getbuffer()[self._length - self.missing_bytes :]

    def add(self, count: int) -> bool:
        """So many more bytes are in their space; whether that is all."""
        self.missing_bytes -= count
        return not self.missing_bytes

    def fill(self, begun: memoryview) -> int:
        """Take as much of it as there is; returns how many bytes."""
        count = min(len(begun), self.missing_bytes)
        self.space()[:count] = begun[:count]
        self.add(count)
        return count

    def value(self) -> bytes:
        """All of it; the memory itself where no view of it is left, else a copy."""
        return self._memory.getvalue()
