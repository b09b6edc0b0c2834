from collections.abc import AsyncIterator, Sequence

import pytest

from tests.fake_clock import FakeClock, eventually
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.awaited_events import AwaitedEvents
from zypher.engines.redis_streams.connection.client import Word
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.finder import Finder
from zypher.engines.redis_streams.format import FORMAT, model_field
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.limits import Limits
from zypher.engines.redis_streams.ready_lanes import ReadyLanes
from zypher.engines.redis_streams.sweeper import Sweeper
from zypher.engines.redis_streams.transitions.deliveries import Deliveries
from zypher.engines.redis_streams.transitions.events import Events
from zypher.engines.redis_streams.transitions.submissions import Submissions
from zypher.prediction import Lane

LIMITS = Limits(queue_limit=10, retention_s=60, lease_s=2)


class Redis:
    """Has two models, one with a ready prediction."""

    overlaps = True

    def __init__(self) -> None:
        self.fields: object = [b"format", model_field("ready").encode(), model_field("empty").encode()]
        self.sweeps = 0

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        return [self._answer(command) for command in commands]

    def _answer(self, command: tuple[Word, ...]) -> object:
        match command[0]:
            case "HGET":
                return b"%d" % FORMAT
            case "HKEYS":
                self.sweeps += 1
                return self.fields
            case _:
                return int(b"ready" in str(command[3]).encode()), 0, 0, list[bytes]()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def ready(clock: FakeClock) -> ReadyLanes:
    return ReadyLanes(clock)


@pytest.fixture
async def sweeper(redis: Redis, clock: FakeClock, ready: ReadyLanes) -> AsyncIterator[Sweeper]:
    pipeline = Pipeline("redis://host:6379/0", "zypher", clock)
    pipeline.open(redis)
    models = KnownModels(pipeline, "zypher")
    models.watch("ready")
    models.watch("empty")
    deliveries = Deliveries(pipeline, models, LIMITS, "zypher")
    finder = Finder(models, Submissions(pipeline, models, LIMITS, "zypher", "1"))
    events = AwaitedEvents(finder, Events(pipeline, models, "zypher", "1"), clock)
    sweeper = Sweeper(pipeline, models, deliveries, AwaitedEnds(clock), events, ready, clock)
    sweeper.start()
    yield sweeper
    await sweeper.stop()
    await pipeline.close()


async def next_sweep(redis: Redis, clock: FakeClock) -> None:
    sweeps = redis.sweeps
    await eventually(lambda: clock.pending)
    clock.advance(LIMITS.sweep_period_s)
    await eventually(lambda: redis.sweeps > sweeps and clock.pending)


async def test_a_sweep_wakes_receivers_of_ready_models_only(
    sweeper: Sweeper, redis: Redis, clock: FakeClock, ready: ReadyLanes
) -> None:
    await next_sweep(redis, clock)
    assert (ready.wakes("ready", [Lane.HIGH]), ready.wakes("empty", [Lane.HIGH])) == (2, 0)


async def test_a_failed_sweep_is_a_problem_until_one_succeeds(sweeper: Sweeper, redis: Redis, clock: FakeClock) -> None:
    fields, redis.fields = redis.fields, [1]
    await next_sweep(redis, clock)
    assert (sweeper.problem or "").startswith("The engine's redis-sweeper failed (AttributeError: ")
    redis.fields = fields
    await next_sweep(redis, clock)
    assert sweeper.problem is None
