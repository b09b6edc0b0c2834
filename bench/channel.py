"""The channel between a worker and its replica.

The hop: one attempt after another in a replica that is a process, its model returning a text of 100 bytes; from handing
the attempt over to having its ending, 2,000 of them a round. The bytes: 10 MB that are no JSON go to a process with the
replica's end of the channel, which sends them back; 20 MB have passed when they are here, 20 times a round. Nothing is
bound to a core.
"""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

import uvloop

from bench.figure import ROUNDS, Figure
from bench.processes import ROOT
from bench.report import Script
from zypher.clock import SystemClock
from zypher.prediction import Delivery, Message
from zypher.settings import LogFormat, LogSettings
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Attempt, Endings
from zypher.worker.channel import Channel
from zypher.worker.events import Events
from zypher.worker.process_replica import Launch, ProcessReplica
from zypher.worker.protocol import Run, Succeeded, ToWorker

_MODELS = {"def": "echo", "async def": "echo_async"}
_ATTEMPTS = 2_000
_TEXT = b'"' + b"x" * 98 + b'"'
_DELIVERY = Delivery(Message("a" * 26, "echo", _TEXT, datetime.now(UTC)), 1, "")

_OPAQUE = bytes(range(256)) * 39_063  # 10 MB
_ECHOES = 20
_MB = 1_000_000


def measure() -> list[Figure]:
    return uvloop.run(_measure())


async def _measure() -> list[Figure]:
    hops = {kind: await _hop_rounds(f"{ROOT}/bench/models/echo.py:{name}") for kind, name in _MODELS.items()}
    return [
        *(Figure(f"the hop of 100 bytes, {kind}: p50", "ms", rounds, at_most=0.25) for kind, rounds in hops.items()),
        Figure("10 MB there and back", "MB/s", await _echo_rounds(), at_least=400),
    ]


async def _hop_rounds(target: str) -> tuple[float, ...]:
    """The median of each round, in ms."""
    endings = Endings()
    launch = Launch(target, 1, _MB, LogSettings(format=LogFormat.HUMAN))
    replica = ProcessReplica(1, launch, endings, Events(), SystemClock(), Metrics())
    await replica.start()
    try:
        await replica.loaded()
        return tuple([await _hop_ms(replica, endings) for _ in range(ROUNDS + 1)][1:])
    finally:
        replica.close()
        await replica.ended()


async def _hop_ms(replica: ProcessReplica, endings: Endings) -> float:
    took_ms: list[float] = []
    for _ in range(_ATTEMPTS):
        began = perf_counter()
        replica.run(Attempt(_DELIVERY))
        (ended,) = await endings.take()
        took_ms.append((perf_counter() - began) * 1000)
        assert isinstance(ended.ending, Succeeded)
        assert ended.ending.output == _TEXT
    return median(took_ms)


async def _echo_rounds() -> tuple[float, ...]:
    """The rate of each round, in MB/s."""
    arrived: asyncio.Queue[list[ToWorker]] = asyncio.Queue()
    async with _echoing(arrived) as channel:
        return tuple([await _echo_rate(channel, arrived) for _ in range(ROUNDS + 1)][1:])


async def _echo_rate(channel: Channel, arrived: asyncio.Queue[list[ToWorker]]) -> float:
    began = perf_counter()
    for number in range(_ECHOES):
        channel.send(Run(number, "a" * 26, 1, _OPAQUE))
        (message,) = await arrived.get()
        assert isinstance(message, Succeeded)
        assert len(message.output) == len(_OPAQUE)
    return 2 * _ECHOES * len(_OPAQUE) / (perf_counter() - began) / _MB


@contextlib.asynccontextmanager
async def _echoing(arrived: asyncio.Queue[list[ToWorker]]) -> AsyncGenerator[Channel]:
    """The worker's end of a channel to a process that sends everything back."""
    ours, theirs = socket.socketpair()
    lost = asyncio.Event()
    channel = Channel(1 << 30, arrived.put_nowait, lost.set)
    with theirs:
        command = [sys.executable, "-m", "bench.echo", str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), cwd=ROOT)  # noqa: ASYNC220  # nothing else runs
    await channel.open(ours)
    try:
        yield channel
    finally:
        channel.close()
        await lost.wait()
        process.wait()  # its socket is closed


SCRIPT = Script("channel", __doc__, measure)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
