"""Wakes what waits in this process by what Redis publishes."""

from collections.abc import Callable

from zypher.background_loop import BackgroundLoop
from zypher.clock import Clock
from zypher.engines.redis_streams.awaited_ends import AwaitedEnds
from zypher.engines.redis_streams.awaited_events import AwaitedEvents
from zypher.engines.redis_streams.connection.client import Client
from zypher.engines.redis_streams.connection.failures import OUTAGE
from zypher.engines.redis_streams.connection.subscriptions import Subscriptions
from zypher.engines.redis_streams.held_deliveries import HeldDeliveries
from zypher.engines.redis_streams.keys import ModelKeys, ends_channel, events_channel, to_text
from zypher.engines.redis_streams.ready_lanes import ReadyLanes
from zypher.prediction import Lane

_LANES = {lane.value.encode(): lane for lane in Lane}


class Notifications:
    """Channels for the ends and the events that this process awaits, and two for each model that it receives."""

    def __init__(
        self, ends: AwaitedEnds, events: AwaitedEvents, ready: ReadyLanes, held: HeldDeliveries, clock: Clock
    ) -> None:
        self._ends = ends
        self._events = events
        self._ready = ready
        self._held = held
        self._handlers: dict[str, Callable[[bytes], None]] = {}  # by channel
        self._subscriptions = Subscriptions()
        # It outlives any error: without it each waiter would wait for the next sweep.
        self._loop = BackgroundLoop("redis-notifications", self._receive, clock, survives=(Exception,), quiet=OUTAGE)

    async def start(self, make_client: Callable[[], Client], prefix: str, watcher: str) -> None:
        """Begin to receive what is for the process with this watcher id. Raises what redis-py raises."""
        self._handlers[ends_channel(prefix, watcher)] = self._ends.wake
        self._handlers[events_channel(prefix, watcher)] = self._events.wake
        await self._subscriptions.open(make_client, *self._handlers)
        self._loop.start()

    async def add(self, model: str, keys: ModelKeys) -> None:
        """Receive what is published when something of this model becomes ready or is cancelled while it runs."""
        if keys.ready_channel not in self._handlers:
            self._handlers[keys.ready_channel] = lambda content: self._wake(model, content)
            self._handlers[keys.stops_channel] = lambda content: self._held.cancel_all(to_text(content))
        await self._subscriptions.add(keys.ready_channel, keys.stops_channel)

    async def stop(self) -> None:
        """May happen twice, and before `start`."""
        await self._loop.stop()
        await self._subscriptions.close()

    async def _receive(self) -> None:
        channel, content = await self._subscriptions.receive()
        self._handlers[channel](content)

    def _wake(self, model: str, content: bytes) -> None:
        lane = _LANES.get(content)
        self._ready.wake(model, (lane,) if lane else tuple(Lane))
