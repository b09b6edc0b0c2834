"""Takes over the predictions that format 1 left in a Redis, once, while no process of that version uses them."""

import logging
from collections.abc import Sequence
from typing import cast

from zypher.engines.redis_streams.connection.client import Client
from zypher.engines.redis_streams.format import FORMAT
from zypher.engines.redis_streams.scripts import script
from zypher.errors import EngineError

logger = logging.getLogger(__name__)

_AT_ONCE = 1_000  # keys that are read at once
_END_OF_BASE = b"}"  # which no name of a model has in a key


class Upgrade:
    """May be interrupted and begin anew, and be made by two processes at once: the format is written last."""

    def __init__(self, client: Client, nodes: Sequence[Client], prefix: str, address: str) -> None:
        self._client = client
        self._nodes = nodes  # all of them, where `client` is one of a cluster
        self._prefix = prefix
        self._address = address

    async def run(self) -> None:
        """Raises `EngineError` while there is a process of the version before, and what redis-py raises."""
        await self._check_unused()
        logger.info("taking over the predictions of the version before", extra={"engine": self._address})
        for node in self._nodes:
            await self._convert_all(node)
        await self._check_unused()
        await self._client.execute_command("HSET", self._prefix, "format", FORMAT)
        logger.info("the predictions of the version before are taken over", extra={"engine": self._address})

    async def _check_unused(self) -> None:
        """Each process of format 1 subscribes to a channel of its own, by a name that is not ours."""
        for node in self._nodes:
            if await node.execute_command("PUBSUB", "CHANNELS", f"{self._prefix}:told:*"):
                raise EngineError(
                    f"Processes of the version before use the predictions at {self._address} (format 1, this one has "
                    f"{FORMAT}); stop all of them, then start this one: it takes over what they left, and there is no "
                    "way back."
                )

    async def _convert_all(self, node: Client) -> None:
        cursor = b"0"
        while True:
            answer = await node.execute_command("SCAN", cursor, "MATCH", f"{{{self._prefix}:*}}:p:*", "COUNT", _AT_ONCE)
            cursor, keys = cast(tuple[bytes, list[bytes]], answer)
            for base, prediction_ids in _by_base(keys).items():
                await self._client.execute_command("EVAL", script("take_over").text, 1, base, *prediction_ids)
            if int(cursor) == 0:
                return


def _by_base(keys: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """The ids of the predictions that have these keys, by the front of their model's keys."""
    by_base: dict[bytes, list[bytes]] = {}
    for key in keys:
        front, end, rest = key.partition(_END_OF_BASE)
        by_base.setdefault(front + end, []).append(rest.removeprefix(b":p:"))
    return by_base
