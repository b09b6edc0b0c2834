"""Wakes the waiters of this process by what Redis publishes."""

from collections.abc import Callable

from zypher.background_loop import BackgroundLoop
from zypher.clock import Clock
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.connection.client import Client
from zypher.engines.redis_streams.connection.failures import OUTAGE
from zypher.engines.redis_streams.connection.subscriptions import Subscriptions
from zypher.engines.redis_streams.keys import ModelKeys
from zypher.engines.redis_streams.ready_models import ReadyModels


class Notifications:
    """One channel for the ends that this process awaits, and one for each model that it receives."""

    def __init__(self, ends: AwaitedEnds, ready: ReadyModels, clock: Clock) -> None:
        self._ends = ends
        self._ready = ready
        self._models: dict[str, str] = {}  # by channel
        self._subscriptions = Subscriptions()
        # It outlives any error: without it each waiter would wait for the next sweep.
        self._loop = BackgroundLoop("redis-notifications", self._receive, clock, survives=(Exception,), quiet=OUTAGE)

    async def start(self, make_client: Callable[[], Client], ends_channel: str) -> None:
        """Begin to receive. Raises what redis-py raises."""
        await self._subscriptions.open(make_client, ends_channel)
        self._loop.start()

    async def add(self, model: str, keys: ModelKeys) -> None:
        """Receive what is published when something of this model's queue becomes ready."""
        self._models[keys.ready_channel] = model
        await self._subscriptions.add(keys.ready_channel)

    async def stop(self) -> None:
        """May happen twice, and before `start`."""
        await self._loop.stop()
        await self._subscriptions.close()

    async def _receive(self) -> None:
        channel, content = await self._subscriptions.receive()
        model = self._models.get(channel)
        if model is None:
            self._ends.wake(content)
        else:
            self._ready.wake(model)
