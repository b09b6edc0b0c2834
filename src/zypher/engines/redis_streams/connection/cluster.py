"""A cluster: each model's keys are on one node, and a node that is down fails its own models only."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from redis.exceptions import AskError, MovedError, RedisError, TryAgainError

from zypher.clock import Clock
from zypher.engines.redis_streams.connection.address import Address
from zypher.engines.redis_streams.connection.client import Client, ClusterClient, Word
from zypher.engines.redis_streams.connection.copies import CopiedExchange, key_of
from zypher.engines.redis_streams.connection.exchange import ServerExchange
from zypher.errors import EngineUnavailable

_REFRESH_S = 1.0  # between two reads of the cluster's topology while a node does not answer


class ClusterExchange:
    """Sends commands to the nodes that have their keys, by redis-py, which follows keys that move."""

    overlaps = False  # redis-py would send two batches over two connections, in any order

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
            *(self._send(node, [commands[place] for place in each]) for node, each in places.items()),
            return_exceptions=True,
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
            node = self._client.get_node_from_key(key_of(command))
            places.setdefault(node.name if node else "", []).append(place)
        return places

    async def _send(self, node: str, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        """By redis-py, which finds the node again, as the keys may have moved."""
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


class CopiedClusterExchange(ClusterExchange):
    """The same for what is to be copied: each node has a connection of our own, on which it waits for its replicas."""

    def __init__(self, client: ClusterClient, clock: Clock, address: Address, replicas: int) -> None:
        super().__init__(client, clock)
        self._address = address
        self._replicas = replicas
        self._clients: dict[str, Client] = {}
        self._exchanges: dict[str, CopiedExchange] = {}

    async def close(self) -> None:
        """May happen twice."""
        for client in self._clients.values():
            await client.aclose()

    async def _send(self, node: str, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        if node not in self._exchanges:
            host, _, port = node.rpartition(":")
            client = self._clients[node] = self._address.of_node(host, int(port)).client()
            self._exchanges[node] = CopiedExchange(ServerExchange(client), self._replicas)
        answers = await self._exchanges[node](commands)
        if any(isinstance(answer, AskError | MovedError | TryAgainError) for answer in answers):
            await self._client.nodes_manager.initialize()
            return [EngineUnavailable("The cluster is moving this model to another node; try again.")] * len(answers)
        return answers


def node_clients(address: Address, client: ClusterClient) -> dict[str, Client]:
    """A client of each node, by the address of the node."""
    nodes = [address.of_node(node.host, node.port) for node in client.get_nodes()]
    return {node.shown: node.client() for node in nodes}


def subscriber_client(address: Address, client: ClusterClient) -> Client:
    """A client of any node, for a cluster sends what is published to all of them."""
    node = client.get_random_node()
    return address.of_node(node.host, node.port).client()
