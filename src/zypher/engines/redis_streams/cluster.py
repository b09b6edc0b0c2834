"""A cluster: the nodes share the models among them, and what one does not answer the others still do."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from redis.exceptions import RedisError

from zypher.clock import Clock
from zypher.engines.redis_streams.address import Address
from zypher.engines.redis_streams.client import Client, ClusterClient, Word

_LOOK_S = 1.0  # between two looks at which node has what, while one does not answer


class ClusterExchange:
    """Commands to the nodes that have their keys, by redis-py, which follows keys that move."""

    def __init__(self, client: ClusterClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._looked_at_s = float("-inf")
        self._there = True  # as far as the last look told

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        """Keeps the contract of `Exchange`; who is on a node that does not answer finds that error in its place."""
        await self._client.initialize()
        answers: list[object] = [None] * len(commands)
        places = self._places(commands)
        told = await asyncio.gather(
            *(self._ask([commands[place] for place in each]) for each in places.values()), return_exceptions=True
        )
        for each, answered in zip(places.values(), told, strict=True):
            for number, place in enumerate(each):
                answers[place] = answered if isinstance(answered, BaseException) else answered[number]
        lost = [answered for answered in told if isinstance(answered, BaseException)]
        if lost and not await self._is_there():
            raise lost[0]
        return answers

    def _places(self, commands: Sequence[tuple[Word, ...]]) -> dict[str, list[int]]:
        """The places of the commands, by the node that has their key."""
        places: dict[str, list[int]] = {}
        for place, command in enumerate(commands):
            node = self._client.get_node_from_key(cast(str, command[3 if command[0] in {"EVAL", "EVALSHA"} else 1]))
            places.setdefault(node.name if node else "", []).append(place)
        return places

    async def _ask(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)

    async def _is_there(self) -> bool:
        """Whether any node answers; learns from it which one took the place of the one that does not."""
        now_s = self._clock.monotonic()
        if now_s - self._looked_at_s >= _LOOK_S:
            self._looked_at_s = now_s
            self._there = False
            with suppress(RedisError, OSError):
                await self._client.nodes_manager.initialize()
                self._there = True
        return self._there


def listening_client(address: Address, client: ClusterClient) -> Client:
    """A client of any node: what is published at one is heard at all."""
    node = client.get_random_node()
    return address.of_node(node.host, node.port).client()
