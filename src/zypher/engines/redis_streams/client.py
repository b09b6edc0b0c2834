"""What this engine uses of redis-py, in types that redis-py does not state."""

from collections.abc import Sequence
from typing import Protocol

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
    """A Redis, or a cluster of them."""

    def pipeline(self, *, transaction: bool) -> Pipeline: ...

    async def execute_command(self, *words: Word) -> object: ...

    async def info(self, section: str) -> dict[str, object]: ...

    @property
    def connection_pool(self) -> ConnectionPool: ...

    def pubsub(self) -> Channels: ...

    async def aclose(self) -> None: ...


class Clients(Protocol):
    """What makes a client."""

    def from_url(self, url: str, **options: object) -> Client: ...
