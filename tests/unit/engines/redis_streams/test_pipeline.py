"""How commands reach Redis, with an exchange that answers as the test wants."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from tests.fake_clock import FakeClock, eventually
from zypher.engines.redis_streams.connection.client import Word
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.format import FORMAT
from zypher.engines.redis_streams.scripts import script
from zypher.errors import EngineUnavailable

PROBE = ("HGET", "zypher", "format")
FORMATTED = b"%d" % FORMAT


class Redis:
    """Answers each batch by `answer`, and keeps what it was sent."""

    overlaps = True

    def __init__(self) -> None:
        self.batches: list[list[tuple[Word, ...]]] = []
        self.answer: Callable[[tuple[Word, ...]], object] = lambda command: b"OK" if command != PROBE else FORMATTED
        self.error: Exception | None = None  # instead of all answers
        self.answers = asyncio.Event()  # as long as it is not set, there are none
        self.answers.set()

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        self.batches.append(list(commands))
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        return [self.answer(command) for command in commands]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def pipeline(redis: Redis, clock: FakeClock) -> Pipeline:
    pipeline = Pipeline("redis://host:6379/0", "zypher", clock)
    pipeline.open(redis)
    return pipeline


async def test_commands_of_one_turn_are_one_batch(pipeline: Pipeline, redis: Redis) -> None:
    assert await asyncio.gather(pipeline.send("GET", "a"), pipeline.send("GET", "b")) == [b"OK", b"OK"]
    assert redis.batches == [[("GET", "a"), ("GET", "b")]]


async def test_a_script_is_sent_as_text_first(pipeline: Pipeline, redis: Redis) -> None:
    purge = script("purge")
    await pipeline.run(purge, ["dead"], ["id"])
    await pipeline.run(purge, ["dead"], ["id"])
    assert redis.batches == [[("EVAL", purge.text, 1, "dead", "id")], [("EVALSHA", purge.digest, 1, "dead", "id")]]


async def test_a_script_that_redis_lost_is_sent_as_text(pipeline: Pipeline, redis: Redis) -> None:
    purge = script("purge")
    await pipeline.run(purge, ["dead"], ["id"])
    redis.answer = lambda command: NoScriptError() if command[0] == "EVALSHA" else 1
    assert await pipeline.run(purge, ["dead"], ["id"]) == 1
    assert [batch[0][0] for batch in redis.batches] == ["EVAL", "EVALSHA", "EVAL"]


async def test_a_batch_that_takes_its_time_holds_up_no_other(
    pipeline: Pipeline, redis: Redis, clock: FakeClock
) -> None:
    redis.answers = asyncio.Event()
    late = asyncio.gather(pipeline.send("GET", "a"))
    await eventually(lambda: redis.batches)
    behind = asyncio.gather(pipeline.send("GET", "b"), pipeline.send("GET", "c"))
    await eventually(lambda: clock.pending)
    assert len(redis.batches) == 1
    clock.advance(0.1)
    await eventually(lambda: redis.batches[1:] == [[("GET", "b"), ("GET", "c")]])
    redis.answers.set()
    assert await late + await behind == [b"OK"] * 3
    assert clock.pending == 0


async def test_an_error_of_one_command_fails_only_that(pipeline: Pipeline, redis: Redis) -> None:
    redis.answer = lambda command: ResponseError("WRONGTYPE of key") if command[1] == "a" else b"OK"
    failed, done = await asyncio.gather(pipeline.send("GET", "a"), pipeline.send("GET", "b"), return_exceptions=True)
    assert isinstance(failed, EngineUnavailable)
    assert (done, pipeline.problem, pipeline.refused) == (b"OK", None, False)


async def test_a_full_redis_holds_what_is_retried(pipeline: Pipeline, redis: Redis) -> None:
    redis.answer = lambda command: OutOfMemoryError("OOM")
    held = pipeline.run(script("purge"), ["dead"], ["id"], retried=True)
    with pytest.raises(EngineUnavailable, match="Redis is full"):
        await pipeline.send("GET", "a")
    assert (pipeline.refused, held.done()) == (True, False)
    redis.answer = lambda command: 1
    pipeline.send_held()
    assert await held == 1
    assert (pipeline.refused, pipeline.problem) == (False, None)


async def test_an_unreachable_redis_refuses_all_until_a_probe_succeeds(
    pipeline: Pipeline, redis: Redis, clock: FakeClock
) -> None:
    redis.error = ConnectionError("refused")
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await pipeline.send("GET", "a")
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        pipeline.send("GET", "a")
    held = pipeline.run(script("purge"), ["dead"], ["id"], retried=True)
    await eventually(lambda: clock.pending)
    clock.advance(0.05)
    await eventually(lambda: redis.batches[-1] == [PROBE] and clock.pending)
    assert not held.done()
    redis.error = None
    clock.advance(0.1)
    assert await held == b"OK"
    assert await pipeline.send("GET", "a") == b"OK"


async def test_close_answers_what_was_sent_and_fails_what_is_held(pipeline: Pipeline, redis: Redis) -> None:
    redis.answer = lambda command: OutOfMemoryError("OOM") if command[0] == "EVAL" else b"OK"
    held = pipeline.run(script("purge"), ["dead"], ["id"], retried=True)
    await eventually(lambda: pipeline.refused)
    sent = pipeline.send("GET", "a")
    await pipeline.close()
    assert sent.result() == b"OK"
    with pytest.raises(EngineUnavailable):
        held.result()
    with pytest.raises(EngineUnavailable, match="is stopping"):
        pipeline.send("GET", "a")


async def test_close_ends_the_probes(pipeline: Pipeline, redis: Redis, clock: FakeClock) -> None:
    redis.error = ConnectionError("refused")
    with pytest.raises(EngineUnavailable):
        await pipeline.send("GET", "a")
    await pipeline.close()
    assert clock.pending == 0


async def test_an_answer_for_a_cancelled_caller_is_dropped(pipeline: Pipeline, redis: Redis) -> None:
    redis.answer = lambda command: OutOfMemoryError("OOM")
    pipeline.send("GET", "a").cancel()
    with pytest.raises(EngineUnavailable):
        await pipeline.send("GET", "b")
