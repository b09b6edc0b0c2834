"""Redis Sentinels of our own, that look after pairs of a master and its replica."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self, cast

from tests.polling import wait_until
from tests.redis_server import RedisServer

_DOWN_AFTER_MS = 500
_FAILOVER_MS = 1_000  # half of the time until the next election, if the first one has no winner


class RedisSentinel(RedisServer):
    """One of them."""

    def _arguments(self) -> tuple[str, ...]:
        file = self._folder / "sentinel.conf"  # which it writes, too
        required = f"requirepass {self._password}\nsentinel sentinel-pass {self._password}\n" if self._password else ""
        if not file.exists():
            file.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self._folder}\n{required}")
        return (str(file), "--sentinel")


class RedisPair:
    """A master, and a replica that takes its place."""

    def __init__(self, folder: Path, name: str, password: str = "") -> None:
        self.name = name
        options = ("--repl-diskless-sync-delay", "0", *(("--masterauth", password) if password else ()))
        self.first = RedisServer(folder / name / "first", *options, password=password)
        replica_of = ("--replicaof", "127.0.0.1", str(self.first.port))
        self.second = RedisServer(folder / name / "second", *replica_of, *options, password=password)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.first)
            stack.enter_context(self.second)
            wait_until(lambda: self.second.info("replication", "master_link_status") == "up")
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.second.kill()  # a replica that writes its first file would not stop
        self.first.kill()

    def wait_copied(self) -> None:
        """Return once the replica has what the master has."""
        written = int(self.first.info("replication", "master_repl_offset") or 0)
        wait_until(lambda: int(self.second.info("replication", "slave_repl_offset") or 0) >= written)


class RedisSentinels:
    """Runs as long as the block lasts."""

    def __init__(self, folder: Path, number: int = 3, password: str = "") -> None:
        self.sentinels = [RedisSentinel(folder / f"sentinel-{each}", password=password) for each in range(number)]
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for sentinel in self.sentinels:
                stack.enter_context(sentinel)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def url(self, name: str, scheme: str = "redis+sentinel") -> str:
        """The engine's, of one pair."""
        return f"{scheme}://{','.join(f'127.0.0.1:{each.port}' for each in self.sentinels)}/0?master={name}"

    @contextmanager
    def pair(self, name: str, password: str = "") -> Generator[RedisPair]:
        """A pair that all of them know, and know that each other knows."""
        with RedisPair(self._folder, name, password) as pair:
            for sentinel in self.sentinels:
                _ask(sentinel, "MONITOR", name, "127.0.0.1", pair.first.port, len(self.sentinels) // 2 + 1)
                if password:
                    _ask(sentinel, "SET", name, "auth-pass", password)
                _ask(sentinel, "SET", name, "down-after-milliseconds", _DOWN_AFTER_MS, "failover-timeout", _FAILOVER_MS)
            for sentinel in self.sentinels:
                wait_until(lambda sentinel=sentinel: _knows(sentinel, name, others=len(self.sentinels) - 1))
            yield pair

    @contextmanager
    def switches(self) -> Generator[Callable[[], bool]]:
        """Whether a sentinel has published a failover since the block began."""
        with self.sentinels[0].client() as client:
            subscriber = client.pubsub()
            subscriber.subscribe("+switch-master")
            wait_until(lambda: subscriber.get_message(timeout=1))
            try:
                yield lambda: subscriber.get_message(timeout=0) is not None
            finally:
                subscriber.close()

    def fail_over(self, name: str) -> None:
        """As an operator asks for it."""
        _ask(self.sentinels[0], "FAILOVER", name)


def _ask(sentinel: RedisServer, *words: str | int) -> object:
    with sentinel.client() as client:
        return client.execute_command("SENTINEL", *words)


def _knows(sentinel: RedisServer, name: str, others: int) -> bool:
    """Whether it sees the others, and a replica that can take over."""
    fields = _fields(_ask(sentinel, "MASTER", name))
    replicas = [_fields(each) for each in cast("list[object]", _ask(sentinel, "REPLICAS", name))]
    return int(fields[b"num-other-sentinels"]) == others and [each[b"master-link-status"] for each in replicas] == [
        b"ok"
    ]


def _fields(answer: object) -> dict[bytes, bytes]:
    words = cast("list[bytes]", answer)
    return dict(zip(words[::2], words[1::2], strict=True))
