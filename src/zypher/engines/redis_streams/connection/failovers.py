"""Notices that another server has become the master, and drops the connections to the one before."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import cast

import msgspec

from zypher.background_loop import BackgroundLoop
from zypher.clock import Clock
from zypher.engines.redis_streams.connection.exchange import ServerExchange
from zypher.engines.redis_streams.connection.failures import OUTAGE
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.connection.sentinel import Place, Sentinels
from zypher.engines.redis_streams.connection.subscriptions import Subscriptions
from zypher.errors import EngineUnavailable

logger = logging.getLogger(__name__)

_CHANNEL = "+switch-master"
_LOOK_S = 5.0


class Lag(msgspec.Struct, frozen=True, order=True):
    """What a master had not copied."""

    bytes_behind: int  # of the replica that had most
    silent_s: int  # since that replica reported it

    @classmethod
    def read(cls, info: str) -> "Lag | None":
        """From the section `replication` of INFO; None without a replica."""
        written = re.search(r"^master_repl_offset:(\d+)", info, re.MULTILINE)
        copied = re.findall(r"^slave\d+:.*offset=(\d+),lag=(\d+)", info, re.MULTILINE)
        if written is None:
            return None
        return min((cls(max(0, int(written[1]) - int(has)), int(silent_s)) for has, silent_s in copied), default=None)


class Failovers:
    """Each sentinel publishes a failover at once; one whose message was lost is found a few seconds later."""

    def __init__(
        self, sentinels: Sentinels, exchanges: Sequence[ServerExchange], pipeline: Pipeline, clock: Clock
    ) -> None:
        self._sentinels = sentinels
        self._exchanges = exchanges
        self._pipeline = pipeline
        self._clock = clock
        self._master = sentinels.master  # to which the connections are
        self._lag: Lag | None = None  # of that master
        self._looked_s = clock.monotonic()
        self._silent = False  # no sentinel answers
        self._subscriptions = [Subscriptions() for _ in sentinels.addresses]
        self._loops = [self._loop("redis-master", self._look, _LOOK_S)]
        for address, subscriptions in zip(sentinels.addresses, self._subscriptions, strict=True):
            subscriptions.prepare(address.client, _CHANNEL)
            self._loops.append(self._loop("redis-sentinel", partial(self._receive, subscriptions)))

    def start(self) -> None:
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        """May happen twice."""
        for loop in self._loops:
            await loop.stop()
        for each in self._subscriptions:
            await each.close()

    def _loop(self, name: str, step: Callable[[], Awaitable[None]], period_s: float = 0.0) -> BackgroundLoop:
        return BackgroundLoop(name, step, self._clock, period_s=period_s, survives=(Exception,), quiet=OUTAGE)

    async def _receive(self, subscriptions: Subscriptions) -> None:
        """A message of a sentinel: a master's name, where it was and where it is."""
        _, content = await subscriptions.receive()
        name, _, _, host, port = content.decode().split(" ")
        if name == self._sentinels.name:
            await self._follow((host, int(port)))

    async def _look(self) -> None:
        await self._look_at_lag()
        try:
            found = await self._sentinels.find()
        except EngineUnavailable as error:
            if not self._silent:
                logger.warning("the sentinels are away; a failover is not noticed", extra={"problem": str(error)})
            self._silent = True
            return
        self._silent = False
        await self._follow(found.place)

    async def _look_at_lag(self) -> None:
        if self._sentinels.master != self._master:
            return
        try:
            info = cast(bytes, await self._pipeline.send("INFO", "replication"))
        except EngineUnavailable:
            return
        self._lag, self._looked_s = Lag.read(info.decode()), self._clock.monotonic()

    async def _follow(self, master: Place) -> None:
        """Drop the connections to any other server: what is under way there is not waited for."""
        if master == self._master:
            return
        self._report(master)
        self._master, self._lag = master, None
        stale = self._sentinels.stale(master)
        for exchange in self._exchanges:
            if exchange.pool in stale:
                exchange.cut()
        await asyncio.gather(*(pool.disconnect() for pool in stale), return_exceptions=True)

    def _report(self, master: Place) -> None:
        about: dict[str, object] = {"engine": self._pipeline.address, "master": f"{master[0]}:{master[1]}"}
        if self._lag is None:
            about["last_seen"] = "no replica that copied"
        else:
            seen_s = round(self._clock.monotonic() - self._looked_s) + self._lag.silent_s
            about["last_seen"] = f"{self._lag.bytes_behind} bytes not copied, {seen_s} s before"
        logger.warning("another Redis is the master now; what the one before had not copied is lost", extra=about)
