"""A cluster: each model's keys are on one node, and a node that is down fails its own models only."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from redis.exceptions import RedisError

from zypher.clock import Clock
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.connection.client import Client, ClusterClient, Word

_REFRESH_S = 1.0  # between two reads of the cluster's topology while a node does not answer


class ClusterExchange:
    """Sends commands to the nodes that have their keys, by redis-py, which follows keys that move."""

    def __init__(self, client: ClusterClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._refreshed_at_s = float("-inf")
        self._reachable = True  # as of the last refresh

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        """Keeps the contract of `Exchange`; the answer to a command whose node is down is that error."""
        await self._client.initialize()
        answers: list[object] = [None] * len(commands)
        places = self._places(commands)
        by_node = await asyncio.gather(
            *(self._send([commands[place] for place in each]) for each in places.values()), return_exceptions=True
        )
        for each, answered in zip(places.values(), by_node, strict=True):
            for number, place in enumerate(each):
                answers[place] = answered if isinstance(answered, BaseException) else answered[number]
        errors = [answered for answered in by_node if isinstance(answered, BaseException)]
        if errors and not await self._is_reachable():
            raise errors[0]
        return answers

    def _places(self, commands: Sequence[tuple[Word, ...]]) -> dict[str, list[int]]:
        """The places of the commands, by the node that has their key."""
        places: dict[str, list[int]] = {}
        for place, command in enumerate(commands):
            node = self._client.get_node_from_key(cast(str, command[3 if command[0] in {"EVAL", "EVALSHA"} else 1]))
            places.setdefault(node.name if node else "", []).append(place)
        return places

    async def _send(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)

    async def _is_reachable(self) -> bool:
        """Whether any node answers; a refresh also finds the node that replaced one."""
        now_s = self._clock.monotonic()
        if now_s - self._refreshed_at_s >= _REFRESH_S:
            self._refreshed_at_s = now_s
            self._reachable = False
            with suppress(RedisError, OSError):
                await self._client.nodes_manager.initialize()
                self._reachable = True
        return self._reachable


def node_clients(address: Address, client: ClusterClient) -> dict[str, Client]:
    """A client of each node, by the address of the node."""
    nodes = [address.of_node(node.host, node.port) for node in client.get_nodes()]
    return {node.shown: node.client() for node in nodes}


def subscriber_client(address: Address, client: ClusterClient) -> Client:
    """A client of any node, for a cluster sends what is published to all of them."""
    node = client.get_random_node()
    return address.of_node(node.host, node.port).client()
