"""When the servers are asked, what is known when they do not answer, and what is logged of it."""

import logging
from collections.abc import AsyncIterator, Sequence

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.fake_clock import FakeClock, eventually
from tests.unit.engines.redis_streams.local_client import LocalClient
from zypher.engines.redis_streams.connection.client import Client, Word
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.server_check import ServerCheck
from zypher.engines.redis_streams.transitions.marks import Marks

FULL = RedisConnectionError("max number of clients reached")
PERIOD_S = 60


class Server(LocalClient):
    """A server with this INFO, or one that raises what it is set to."""

    def __init__(self) -> None:
        super().__init__()
        self.info_now: dict[str, object] = {}
        self.raises: Exception | None = None
        self.asked = 0

    async def info(self, *sections: str) -> dict[str, object]:
        self.asked += 1
        if self.raises is not None:
            raise self.raises
        return self.info_now


class Place:
    """Two servers, the marks in one of them, and the check of them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.servers = {"redis://a": Server(), "redis://b": Server()}
        self.a, self.b = self.servers.values()
        self.loss = [0, 0]  # when data was lost and what was left, milliseconds since 1970
        self.pipeline = Pipeline("redis://a", "zypher", self.clock)
        self.pipeline.open(self)
        self.check = ServerCheck(self.pipeline, Marks(self.pipeline, "zypher"), self.clock)

    @property
    def overlaps(self) -> bool:
        return False

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        return [[1, *self.loss] for _ in commands]

    async def start(self) -> None:
        def clients() -> dict[str, Client]:
            return {**self.servers}

        await self.check.start(clients)

    async def next(self) -> list[str]:
        """The kinds of the warnings after the next check."""
        await eventually(lambda: self.clock.pending)
        asked = self.a.asked
        self.clock.advance(PERIOD_S)
        await eventually(lambda: self.a.asked > asked and self.clock.pending)
        return self.kinds()

    def kinds(self) -> list[str]:
        return [warning.kind.value for warning in self.check.warnings]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place()
    yield place
    await place.check.stop()
    await place.check.stop()
    await place.pipeline.close()
    assert [server.closed for server in (place.a, place.b)] == [place.a.asked, place.b.asked]


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, str(vars(record).get("kind"))) for record in caplog.records]


async def test_a_warning_is_logged_when_it_comes_and_goes(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    place.a.info_now = {"aof_enabled": 0}
    await place.start()
    assert place.kinds() == ["not_persistent"]
    assert [await place.next() for _ in range(3)] == 3 * [["not_persistent"]]
    place.a.info_now = {"aof_enabled": 1}
    assert [await place.next() for _ in range(3)] == [[], [], []]
    assert logged(caplog) == [("WARNING", "not_persistent"), ("INFO", "not_persistent")]


async def test_the_servers_are_asked_once_a_minute(place: Place) -> None:
    await place.start()
    for _ in range(PERIOD_S - 1):
        await eventually(lambda: place.clock.pending)
        place.clock.advance(1)
    assert place.a.asked == place.b.asked == 1
    await eventually(lambda: place.clock.pending)
    place.clock.advance(1)
    await eventually(lambda: place.a.asked == place.b.asked == 2)


async def test_the_servers_are_asked_after_a_reconnect(place: Place) -> None:
    await place.start()
    await eventually(lambda: place.clock.pending)
    place.pipeline.reconnects += 1
    place.clock.advance(1)
    await eventually(lambda: place.a.asked == place.b.asked == 2)
    await eventually(lambda: place.clock.pending)
    place.clock.advance(1)
    assert place.a.asked == place.b.asked == 2  # once


async def test_several_servers_give_one_warning_of_each_kind(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.a.info_now = {"maxmemory_policy": "allkeys-lru"}
    place.b.info_now = {"maxmemory_policy": "allkeys-lfu", "aof_enabled": 0}
    await place.start()
    assert place.kinds() == ["evicts", "not_persistent"]
    assert [vars(record)["engine"] for record in caplog.records] == ["redis://a", "redis://b"]


async def test_without_an_answer_the_warnings_stay(place: Place) -> None:
    place.a.info_now = place.b.info_now = {"aof_enabled": 0}
    await place.start()
    place.a.raises = place.b.raises = OSError("It is away.")
    assert await place.next() == ["not_persistent"]
    place.a.raises, place.a.info_now = None, {}
    assert await place.next() == ["not_persistent"]  # of the other
    place.b.raises, place.b.info_now = None, {}
    assert await place.next() == []


async def test_a_server_without_a_free_connection_gives_a_warning(place: Place) -> None:
    place.a.info_now = {"aof_enabled": 0}
    await place.start()
    place.a.raises = FULL
    assert await place.next() == ["connections", "not_persistent"]
    assert await place.next() == ["connections", "not_persistent"]
    place.a.raises = None
    assert await place.next() == ["not_persistent"]


async def test_a_loss_is_an_error_for_who_ran_then(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.loss = [1_767_323_045_000, 0]
    await place.start()
    place.loss = [1_767_326_645_000, 1_767_326_500_500]
    assert await place.next() == ["lost_data"]
    assert [(record.levelname, vars(record)["problem"]) for record in caplog.records] == [
        ("WARNING", "At 2026-01-02 03:04:05 UTC Redis came back empty: what it had kept is lost."),
        ("ERROR", "At 2026-01-02 04:04:05 UTC Redis came back older: what happened in the 145 s before may be lost."),
    ]


async def test_whatever_a_server_answers_the_check_goes_on(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    await place.start()
    place.a.raises = ValueError("no INFO")
    await eventually(lambda: place.clock.pending)
    place.clock.advance(PERIOD_S)
    await eventually(lambda: "a duty failed" in caplog.text)
    place.a.raises = None
    place.a.info_now = {"aof_enabled": 0}
    assert await place.next() == ["not_persistent"]
