"""What is to outlive a failover: answered once so many replicas have copied it."""

from collections.abc import Sequence

from zypher.engines.redis_streams.connection.client import Word
from zypher.engines.redis_streams.connection.exchange import Exchange
from zypher.errors import EngineUnavailable

_WAIT_MS = 1_000


class CopiedExchange:
    """Sends to one server, and waits once for each batch, on the connection that sent it.

    Redis waits for what this connection wrote. So each batch ends with a write of its own, a key that is gone at once:
    what a batch only found there may have been written over another connection a moment before.
    """

    overlaps = False  # the second of two would wait behind the first one's wait

    def __init__(self, exchange: Exchange, replicas: int) -> None:
        self._exchange = exchange
        self._replicas = replicas

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        """Keeps the contract of `Exchange`; what was copied too few times in time is answered by that error."""
        written = ("SET", f"{key_of(commands[0])}:copied", "", "PX", 1)
        *answers, write, copies = await self._exchange([*commands, written, ("WAIT", self._replicas, _WAIT_MS)])
        if write == b"OK" and isinstance(copies, int) and copies >= self._replicas:
            return answers
        too_few = _too_few(copies, self._replicas)
        return [answer if isinstance(answer, Exception) else too_few for answer in answers]


def key_of(command: tuple[Word, ...]) -> str:
    """The first key of a command."""
    return str(command[3] if command[0] in {"EVAL", "EVALSHA"} else command[1])


def _too_few(copies: object, replicas: int) -> EngineUnavailable:
    found = copies if isinstance(copies, int) else 0
    return EngineUnavailable(
        f"Redis has copied this to {found} replicas within a second, and {replicas} must have it "
        "(redis_wait_replicas); it may run all the same: send it again with its idempotency key.",
        public="The service could not store this safely in time; it may run all the same: send it again with its "
        "idempotency key.",
    )
