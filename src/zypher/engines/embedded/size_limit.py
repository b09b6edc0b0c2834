"""How many bytes a journal may hold, and the sentences of one that is full."""

import msgspec

from zypher.errors import DataFull

MIB = 1024 * 1024


class SizeLimit(msgspec.Struct, frozen=True):
    """Submissions may use four fifths of the bytes; the last fifth is for the outcomes of what was accepted."""

    limit_bytes: int

    @property
    def submit_bytes(self) -> int:
        return self.limit_bytes * 4 // 5

    def refuse_submit(self) -> DataFull:
        """The error for a prediction without room."""
        return DataFull(f"{self._used_up()}; send this one again once results were read or are past their retention.")

    def refuse_outcome(self) -> DataFull:
        """The error for an outcome without room."""
        return DataFull(
            f"{self._used_up()}, and outcomes wait for room; read results, "
            "or start the server again with a higher max_data_mb."
        )

    def _used_up(self) -> str:
        return f"Predictions and results take up the {self.limit_bytes / MIB:.6g} MiB that they may (max_data_mb)"
