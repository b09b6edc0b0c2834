from collections.abc import Sequence

import pytest
from redis.exceptions import NoScriptError, ReadOnlyError

from zypher.engines.redis_streams.connection.client import Word
from zypher.engines.redis_streams.connection.copies import CopiedExchange
from zypher.errors import EngineUnavailable

COMMANDS: list[tuple[Word, ...]] = [("EVALSHA", "digest", 1, "{zypher:model}", "id"), ("HGET", "key", "field")]


class Redis:
    """Answers the last two commands of a batch, the write and the wait, as it is set to."""

    overlaps = True

    def __init__(self, written: object, copies: object) -> None:
        self.sent: list[tuple[Word, ...]] = []
        self._ends = [written, copies]

    async def __call__(self, commands: Sequence[tuple[Word, ...]]) -> Sequence[object]:
        self.sent += commands
        return [NoScriptError(), b"value", *self._ends]


async def test_a_batch_waits_once_for_its_own_write() -> None:
    redis = Redis(b"OK", 2)
    answers = await CopiedExchange(redis, 2)(COMMANDS)
    assert redis.sent[:2] == COMMANDS
    assert redis.sent[2:] == [("SET", "{zypher:model}:copied", "", "PX", 1), ("WAIT", 2, 1000)]
    assert [type(each) for each in answers] == [NoScriptError, bytes]


@pytest.mark.parametrize(("written", "copies"), [(b"OK", 1), (ReadOnlyError(), 2), (b"OK", ReadOnlyError())])
async def test_what_was_copied_too_few_times_is_refused(written: object, copies: object) -> None:
    answers = await CopiedExchange(Redis(written, copies), 2)(COMMANDS)
    assert [type(each) for each in answers] == [NoScriptError, EngineUnavailable]
