"""Everything at once, from a seed: load, faults of every kind, and an account of all that was accepted.

The seeds are such that every fault strikes once and few strike twice; `make chaos` is for longer storms.
"""

from pathlib import Path

import pytest

from tests.chaos.embedded import EmbeddedStage
from tests.chaos.faults import EMBEDDED, REDIS
from tests.chaos.redis_streams import RedisStage
from tests.chaos.storm import Weather, storm


@pytest.mark.timeout(180)
async def test_the_embedded_engine_accounts_for_everything(tmp_path: Path) -> None:
    weather = Weather(seconds=15, seed=9, every_s=1.6)
    report = await storm(EmbeddedStage(tmp_path), EMBEDDED, weather)
    print(report)
    assert report.kept, str(report)
    assert set(report.strikes) == set(EMBEDDED), str(report)
    assert report.accepted > 5, str(report)
    assert report.readings >= 3, str(report)


@pytest.mark.timeout(180)
async def test_the_redis_engine_accounts_for_everything(tmp_path: Path) -> None:
    weather = Weather(seconds=22, seed=2, every_s=1.05)
    report = await storm(RedisStage(tmp_path), REDIS, weather)
    print(report)
    assert report.kept, str(report)
    assert set(report.strikes) == set(REDIS), str(report)
    assert report.accepted > 20, str(report)
    assert report.readings >= 3, str(report)
