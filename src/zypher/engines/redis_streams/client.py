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

    async def get_message(
        self, *, ignore_subscribe_messages: bool, timeout: float | None
    ) -> dict[str, object] | None: ...

    async def aclose(self) -> None: ...


class Client(Protocol):
    """A Redis, or a cluster of them."""

    def pipeline(self, *, transaction: bool) -> Pipeline: ...

    async def execute_command(self, *words: Word) -> object: ...

    async def info(self, section: str) -> dict[str, object]: ...

    def pubsub(self) -> Channels: ...

    async def aclose(self) -> None: ...


class Clients(Protocol):
    """What makes a client."""

    def from_url(self, url: str, **options: object) -> Client: ...
