"""What this engine uses of redis-py, in types that redis-py does not state."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

Word = bytes | str | int | float


class Pipeline(Protocol):
    """Commands that are sent together; each is answered, or with an exception in its place."""

    def execute_command(self, *words: Word) -> object: ...

    async def execute(self, *, raise_on_error: bool) -> Sequence[object]: ...


class Channels(Protocol):
    """A connection that hears what is published."""

    async def subscribe(self, *channels: str) -> None: ...

    async def get_message(self, **options: object) -> dict[str, object] | None: ...

    async def aclose(self) -> None: ...


class Connection(Protocol):
    """One connection of a pool."""

    async def send_packed_command(self, command: bytes) -> None: ...

    async def read_response(self) -> object: ...

    async def disconnect(self) -> None: ...


class ConnectionPool(Protocol):
    """The connections of one client."""

    async def get_connection(self) -> Connection: ...

    async def release(self, connection: Connection) -> None: ...


class Client(Protocol):
    """Of a Redis, or of a cluster of them."""

    async def execute_command(self, *words: Word) -> object: ...

    async def info(self, section: str) -> dict[str, object]: ...

    @property
    def connection_pool(self) -> ConnectionPool: ...

    def pubsub(self) -> Channels: ...

    async def aclose(self) -> None: ...


class Node(Protocol):
    """One Redis of a cluster."""

    host: str
    port: int
    name: str


class Nodes(Protocol):
    """Which node has what."""

    async def initialize(self) -> None: ...


class ClusterClient(Client, Protocol):
    """Of a cluster."""

    nodes_manager: Nodes

    async def initialize(self) -> object: ...

    def get_node_from_key(self, key: str) -> Node | None: ...

    def get_random_node(self) -> Node: ...

    def pipeline(self, *, transaction: bool) -> Pipeline: ...


ClientT_co = TypeVar("ClientT_co", bound=Client, covariant=True)


class Clients(Protocol[ClientT_co]):
    """What makes a client."""

    def from_url(self, url: str, **options: object) -> ClientT_co: ...
