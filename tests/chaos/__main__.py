"""`python -m tests.chaos`: a storm of any length; the exit code is 1 when a promise was broken."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.embedded import EmbeddedStage
from tests.chaos.faults import EMBEDDED, REDIS
from tests.chaos.redis_streams import RedisStage
from tests.chaos.report import Report
from tests.chaos.storm import Weather, storm

_ENGINES = ("embedded", "redis")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--engine", choices=_ENGINES, action="append", help="one of them; both unless given")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--every", type=float, default=3.0, metavar="SECONDS", help="between faults, on average")
    arguments = parser.parse_args()
    weather = Weather(arguments.seconds, arguments.seed, arguments.every)
    reports = [_run(engine, weather) for engine in arguments.engine or _ENGINES]
    return int(not all(report.kept for report in reports))


def _run(engine: str, weather: Weather) -> Report:
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        directory = Path(name)
        if engine == "redis":
            report = asyncio.run(storm(RedisStage(directory), REDIS, weather))
        else:
            report = asyncio.run(storm(EmbeddedStage(directory), EMBEDDED, weather))
    print(report, end="\n\n", flush=True)
    return report


if __name__ == "__main__":
    sys.exit(main())
