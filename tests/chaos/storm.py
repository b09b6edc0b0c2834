"""A whole run: load and faults for a while, then calm, then the account."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.faults import Fault, S
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.report import Report
from tests.chaos.runs import Run, attempts, recoveries_s, runs_in
from tests.chaos.schedule import schedule
from tests.chaos.stage import Stage

_SETTLING_S = 45.0  # until everything accepted has ended, once the faults are over
_READ_AGAIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Weather:
    """How long, from which seed, and how often a fault strikes on average."""

    seconds: float
    seed: int
    every_s: float


async def storm(stage: S, faults: Mapping[str, Fault[S]], weather: Weather) -> Report:
    """Everything from the start of the service to the account of what it accepted."""
    ledger = Ledger(stage.destroyed)
    folder = stage.folder
    folder.mkdir()
    load = Load(stage.urls, ledger, str(folder), weather.seed)
    async with stage.up():
        await stage.ready()
        async with load.running():
            async with stage.watched():
                await _strike(stage, faults, weather)
                await stage.ready()
                await load.stop()
                await load.read_all(_SETTLING_S)
            await load.read_all(_READ_AGAIN_S)
            await stage.restart()
            await load.read_all(_READ_AGAIN_S)
            left_over = await stage.left_over()
            attempted = await stage.attempts()
    ledger.strange += [f"left over: {each}" for each in left_over]
    runs = runs_in(folder)
    holds = sum(strike.fault == "hold GIL" for strike in stage.strikes)
    return _report(stage, load, weather, runs, ledger.charged(attempted, runs, holds))


async def _strike(stage: S, faults: Mapping[str, Fault[S]], weather: Weather) -> None:
    """Let the faults come as they are due, also before earlier ones are over, and wait for the end of all."""
    clock = asyncio.get_running_loop()
    began = clock.time()
    async with asyncio.TaskGroup() as tasks:
        for strike in schedule(weather.seed, weather.seconds, list(faults), weather.every_s):
            await asyncio.sleep(began + strike.at_s - clock.time())
            tasks.create_task(faults[strike.fault](stage, random.Random(strike.seed)))


def _report(
    stage: Stage, load: Load, weather: Weather, runs: Mapping[int, Sequence[Run]], charged: list[str]
) -> Report:
    ledger = load.ledger
    return Report(
        title=f"{stage.title}, {weather.seconds:g} s, seed {weather.seed}",
        accepted=len(ledger.all()),
        synchronous=ledger.synchronous,
        refusals_s=load.refusals_s,
        readings=ledger.least_readings(),
        ends=ledger.ends(),
        strikes=Counter(strike.fault for strike in stage.strikes),
        attempts=attempts(runs),
        given_up=Counter(len(runs.get(question.number, [])) for question in ledger.given_up()),
        recoveries_s=recoveries_s(runs, stage.strikes),
        lost=ledger.lost(),
        wrong=ledger.wrong(),
        doubled=ledger.doubled(),
        charged=charged,
        destroyed=len(stage.destroyed),
        data_lost=ledger.data_lost(),
        strange=[*stage.strange, *ledger.strange],
    )
