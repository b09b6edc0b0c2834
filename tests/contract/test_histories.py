"""Whatever happens in whatever order, an engine does as the model of histories.py expects."""

import asyncio
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.conftest import EmbeddedPlace, Place, RedisPlace
from tests.contract.histories import History
from tests.contract.history_steps import STEPS, finish
from tests.redis_server import RedisServer, no_redis
from zypher.prediction import Status

Steps = list[tuple[str, int]]

_PHASES = (Phase.generate,)  # to make a failing history shorter takes longer than a test may

_WEIGHTS = {"submit": 4, "receive": 4, "settle": 2, "pass_time": 2}  # of the other steps: 1
_names = [name for name in sorted(STEPS) for _ in range(_WEIGHTS.get(name, 1))]
_steps = st.lists(st.tuples(st.sampled_from(_names), st.integers(0, 2**32)), min_size=20, max_size=100)


async def play(place: Place, steps: Steps, *, reopens: bool) -> list[Status]:
    """Play a history; each step has a seed for what it chooses. Returns how those stand that have not ended."""
    history = History(place, reopens=reopens)
    await history.open()
    try:
        for name, seed in steps:
            await STEPS[name](history, Random(seed))
            await history.check()
        await finish(history)
        kept = [prediction_id for prediction_id, each in history.known.items() if each.durable]
        found = [await history.engine.get(each) for each in kept if not history.forgotten(history.known[each])]
        return [each.status for each in found if each is not None and not each.status.terminal]
    except AssertionError as error:
        error.add_note(f"The history was {steps}.")
        raise
    finally:
        await history.engine.close()


@settings(max_examples=150, derandomize=True, deadline=None, database=None, phases=_PHASES)
@given(steps=_steps)
def test_a_history_in_memory_is_as_expected(steps: Steps) -> None:
    assert asyncio.run(play(EmbeddedPlace(None), steps, reopens=False)) == []


@settings(max_examples=30, derandomize=True, deadline=None, database=None, phases=_PHASES)
@given(steps=_steps)
def test_a_history_on_disk_is_as_expected(steps: Steps) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(play(EmbeddedPlace(Path(folder) / "data"), steps, reopens=True)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_history_in_a_redis_is_as_expected(redis_server: RedisServer | None, seed: int) -> None:
    choose = Random(seed)
    steps = [(choose.choice(_names), choose.randrange(2**32)) for _ in range(60)]
    place = RedisPlace(redis_server or no_redis())
    assert asyncio.run(play(place, steps, reopens=False)) == []
    place.close()
