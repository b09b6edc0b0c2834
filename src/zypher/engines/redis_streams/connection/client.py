"""What this engine uses of redis-py, as types, which redis-py itself lacks."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

Word = bytes | str | int | float


class ClusterPipeline(Protocol):
    """Commands that are sent together; the answer to one may be an exception."""

    def execute_command(self, *words: Word) -> object: ...

    async def execute(self, *, raise_on_error: bool) -> Sequence[object]: ...


class Subscriber(Protocol):
    """A connection that receives what is published on its channels."""

    async def subscribe(self, *channels: str) -> None: ...

    async def get_message(self, **options: object) -> dict[str, object] | None: ...

    async def aclose(self) -> None: ...


class Connection(Protocol):
    """One connection of a pool."""

    async def on_connect(self) -> None: ...

    async def send_packed_command(self, command: bytes) -> None: ...

    async def read_response(self) -> object: ...

    async def disconnect(self, *, nowait: bool = False) -> None: ...


class ConnectionPool(Protocol):
    """The connections of one client."""

    async def get_connection(self) -> Connection: ...

    async def release(self, connection: Connection) -> None: ...

    async def disconnect(self) -> None: ...


class Client(Protocol):
    """A client of one Redis or of a cluster."""

    async def execute_command(self, *words: Word) -> object: ...

    async def info(self, *sections: str) -> dict[str, object]: ...

    @property
    def connection_pool(self) -> ConnectionPool: ...

    def pubsub(self) -> Subscriber: ...

    async def aclose(self) -> None: ...


class Node(Protocol):
    """One Redis of a cluster."""

    host: str
    port: int
    name: str


class Nodes(Protocol):
    """Which node has which keys."""

    async def initialize(self) -> None: ...


class ClusterClient(Client, Protocol):
    """A client of a cluster."""

    nodes_manager: Nodes

    async def initialize(self) -> object: ...

    def get_node_from_key(self, key: str) -> Node | None: ...

    def get_random_node(self) -> Node: ...

    def get_nodes(self) -> list[Node]: ...

    def pipeline(self, *, transaction: bool) -> ClusterPipeline: ...


ClientT_co = TypeVar("ClientT_co", bound=Client, covariant=True)


class Clients(Protocol[ClientT_co]):
    """A class of clients."""

    def from_url(self, url: str, **options: object) -> ClientT_co: ...
