"""The bytes that may be under way: bodies that arrive, and answers that are not read yet."""

from zypher.errors import TooMuchInFlight

_MIB = 1024 * 1024
_RETRY_AFTER_S = 2
_MUCH_BYTES = 32 * _MIB


class Budget:
    """Bytes in flight over all connections of one server."""

    def __init__(self, limit_mb: int) -> None:
        self.used_bytes = 0
        self._most_bytes = 0  # since the heap was last cleared
        self._limit_bytes = limit_mb * _MIB * 15 // 16  # the rest is for buffers beside those that are counted
        self._sentence = (
            f"Requests and answers under way take up the {limit_mb} MiB that they may; send this one again later."
        )

    @property
    def exceeded(self) -> bool:
        return self.used_bytes > self._limit_bytes

    def check(self, more_bytes: int = 0) -> None:
        """Raise `TooMuchInFlight` unless there is room for so many more."""
        if self.used_bytes + more_bytes > self._limit_bytes:
            raise TooMuchInFlight(self._sentence, _RETRY_AFTER_S)

    def take(self, bytes_: int) -> None:
        """Count them, whether there is room or not."""
        self.used_bytes += bytes_
        self._most_bytes = max(self._most_bytes, self.used_bytes)

    def dropped_since_trim(self) -> bool:
        """Whether much less is in use than was, since this was last so."""
        if self._most_bytes - self.used_bytes < _MUCH_BYTES:
            return False
        self._most_bytes = self.used_bytes
        return True

    def give_back(self, bytes_: int) -> None:
        self.used_bytes -= bytes_
