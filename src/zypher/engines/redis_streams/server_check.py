"""Looks once a minute, and after each reconnect, at how Redis is set and whether it lost data; logs what changes."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

from zypher.background_loop import BackgroundLoop
from zypher.clock import Clock
from zypher.engines.redis_streams.connection.client import Client
from zypher.engines.redis_streams.connection.failures import OUTAGE, is_connection_refused
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.server_info import NO_CONNECTION, warnings_of
from zypher.engines.redis_streams.transitions.marks import Marks
from zypher.errors import EngineUnavailable
from zypher.queue_state import EngineWarning, WarningKind

logger = logging.getLogger(__name__)

_PERIOD_S = 60.0
_LOOK_S = 1.0  # between two looks whether the time has come
_ANSWER_S = 5.0
_STOP_S = 1.0


class ServerCheck:
    """Over connections of its own, so that it also notices when Redis takes no more of them.

    What does not answer is as it was when it last did.
    """

    def __init__(self, pipeline: Pipeline, marks: Marks, clock: Clock) -> None:
        self._pipeline = pipeline
        self._marks = marks
        self._clock = clock
        self._make_node_clients: Callable[[], Mapping[str, Client]] | None = None
        self._by_node: dict[str, tuple[EngineWarning, ...]] = {}
        self._loss: EngineWarning | None = None
        self._asking: asyncio.Future[list[tuple[EngineWarning, ...]]] | None = None
        self._known: dict[WarningKind, EngineWarning] = {}  # all of them, as they were logged
        self._due_s = 0.0
        self._reconnects = 0
        self._loop = BackgroundLoop(
            "redis-check", self._check_if_due, clock, period_s=_LOOK_S, survives=(Exception,), quiet=OUTAGE
        )

    @property
    def warnings(self) -> tuple[EngineWarning, ...]:
        """One of each kind."""
        return tuple(self._known.values())

    @property
    def not_durable(self) -> EngineWarning | None:
        """Why Redis may lose what it accepts, if it may."""
        return self._known.get(WarningKind.NOT_PERSISTENT) or self._known.get(WarningKind.EVICTS)

    async def start(self, make_node_clients: Callable[[], Mapping[str, Client]]) -> None:
        """Returns after the first check. `make_node_clients` makes a client of each server, by its address."""
        self._make_node_clients = make_node_clients
        await self._check(loss_level=logging.WARNING)  # of an earlier loss, which was logged by who noticed it
        self._loop.start()

    async def stop(self) -> None:
        """May happen twice, and before `start`."""
        await self._loop.stop()
        if self._asking is not None and not self._asking.done():
            await asyncio.wait({self._asking}, timeout=_STOP_S)
            self._asking.cancel()
            await asyncio.wait({self._asking})

    async def _check_if_due(self) -> None:
        if self._clock.monotonic() >= self._due_s or self._pipeline.reconnects != self._reconnects:
            await self._check(loss_level=logging.ERROR)

    async def _check(self, *, loss_level: int) -> None:
        self._due_s = self._clock.monotonic() + _PERIOD_S
        self._reconnects = self._pipeline.reconnects
        with suppress(EngineUnavailable):
            self._loss = await self._marks.mark()
        await self._ask_all()
        found = [(node, warning) for node, warnings in self._by_node.items() for warning in warnings]
        if self._loss is not None:
            found.append((self._pipeline.address, self._loss))
        self._log(found, loss_level)

    async def _ask_all(self) -> None:
        assert self._make_node_clients is not None
        nodes = self._make_node_clients()
        # redis-py may lose a connection when it is cancelled while it makes one.
        self._asking = asyncio.gather(*(_ask(client, self._by_node.get(node, ())) for node, client in nodes.items()))
        self._by_node = dict(zip(nodes, await asyncio.shield(self._asking), strict=True))

    def _log(self, found: list[tuple[str, EngineWarning]], loss_level: int) -> None:
        """Log each warning once when it comes and once when it goes."""
        known, self._known = self._known, {}
        for node, warning in found:
            kind = warning.kind
            if kind in self._known:
                continue
            self._known[kind] = warning
            if known.get(kind) != warning:
                level = loss_level if kind is WarningKind.LOST_DATA else logging.WARNING
                about = {"kind": kind.value, "problem": warning.sentence, "engine": node}
                logger.log(level, "a warning about the engine", extra=about)
        for kind in known.keys() - self._known.keys():
            logger.info("a warning about the engine is over", extra={"kind": kind.value})


async def _ask(client: Client, before: tuple[EngineWarning, ...]) -> tuple[EngineWarning, ...]:
    """The warnings about this client's server, those of before where it does not answer. Closes the client."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            return warnings_of(await client.info())
    except OUTAGE as error:
        if not is_connection_refused(error):
            return before
        return (NO_CONNECTION, *(each for each in before if each.kind is not WarningKind.CONNECTIONS))
    finally:
        await client.aclose()
