"""Memory for what is under way: bodies that arrive, and answers that are not read yet."""

from zypher.http.problems import Problem

_MIB = 1024 * 1024
_RETRY_AFTER_S = 2


class Budget:
    """Bytes in flight over all connections of one server."""

    def __init__(self, limit_mb: int) -> None:
        self.used_bytes = 0
        self._limit_bytes = limit_mb * _MIB
        self._sentence = (
            f"Requests and answers under way take up the {limit_mb} MiB that they may; send this one again later."
        )

    @property
    def exceeded(self) -> bool:
        return self.used_bytes > self._limit_bytes

    def check(self, more_bytes: int = 0) -> None:
        """Raise `Problem` unless there is room for so many more."""
        if self.used_bytes + more_bytes > self._limit_bytes:
            raise Problem(503, self._sentence, (b"retry-after", b"%d" % _RETRY_AFTER_S))

    def take(self, bytes_: int) -> None:
        """Count them, whether there is room or not."""
        self.used_bytes += bytes_

    def give_back(self, bytes_: int) -> None:
        self.used_bytes -= bytes_
