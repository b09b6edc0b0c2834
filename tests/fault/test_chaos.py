"""Everything at once, from a seed: load, faults of every kind, and an account of all that was accepted."""

from pathlib import Path

import pytest

from tests.chaos.embedded import EmbeddedStage
from tests.chaos.faults import EMBEDDED, REDIS
from tests.chaos.redis_streams import RedisStage
from tests.chaos.storm import Weather, storm


@pytest.mark.timeout(180)
async def test_the_embedded_engine_accounts_for_everything(tmp_path: Path) -> None:
    weather = Weather(seconds=20, seed=7, every_s=2.5)
    report = await storm(EmbeddedStage(tmp_path), EMBEDDED, weather, tmp_path)
    print(report)
    assert report.kept, str(report)
    assert set(report.strikes) == set(EMBEDDED), str(report)
    assert report.accepted > 20, str(report)
    assert report.readings >= 3, str(report)


@pytest.mark.timeout(180)
async def test_the_redis_engine_accounts_for_everything(tmp_path: Path) -> None:
    weather = Weather(seconds=30, seed=11, every_s=1.8)
    report = await storm(RedisStage(tmp_path), REDIS, weather, tmp_path)
    print(report)
    assert report.kept, str(report)
    assert set(report.strikes) == set(REDIS), str(report)
    assert report.accepted > 100, str(report)
    assert report.readings >= 3, str(report)
