"""A worker between the memory engine and replicas that obey the test."""

import asyncio
import re
from collections.abc import Sequence

from tests.contract.phrases import submit_one
from tests.fake_clock import FakeClock, eventually
from tests.fake_replica import CARD, FakeReplica
from zypher.engines.contract import Settlement, Stop
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.errors import EngineUnavailable
from zypher.prediction import NO_OPTIONS, PRIORITIES, Delivery, Event, Lane, Message, Options, Prediction
from zypher.queue_state import QueueState, WorkerState
from zypher.settings import LogSettings
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Attempt, Endings
from zypher.worker.events import Events
from zypher.worker.worker import Worker, WorkerPlan

LEASE_S = 30.0
SILENCE_S = 60.0
TIMEOUT_S = 600.0
SETUP_TIMEOUT_S = 300.0
GRACE_S = 5.0


class Engine(EmbeddedEngine):
    """The memory engine, which a test can make refuse and hold up what the worker asks for."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(MemoryJournal(clock), clock, queue_limit=10_000, retention_s=3600, lease_s=LEASE_S)
        self.away: set[str] = set()
        self.begun: list[str] = []
        self.announced: list[WorkerState] = []
        self.refusal = EngineUnavailable("It is away.")
        self.publishes = 0
        self._held: dict[str, asyncio.Event] = {}

    def hold(self, what: str) -> asyncio.Event:
        """Hold up what the worker asks for, by the name of the method, until this is set."""
        self._held[what] = asyncio.Event()
        return self._held[what]

    async def receive(
        self, model: str, limit: int, wait_s: float, lanes: Sequence[Lane] = PRIORITIES
    ) -> list[Delivery]:
        received = await super().receive(model, limit, wait_s, lanes)
        await self._allow("receive")
        return received

    async def extend(self, deliveries: Sequence[Delivery]) -> None:
        await self._allow("extend")
        await super().extend(deliveries)

    async def publish(self, delivery: Delivery, events: Sequence[Event]) -> bool:
        self.publishes += 1
        await self._allow("publish")
        return await super().publish(delivery, events)

    async def begin(self, deliveries: Sequence[Delivery]) -> None:
        await self._allow("begin")
        self.begun += [each.message.prediction_id for each in deliveries]
        await super().begin(deliveries)

    async def stops(self, wait_s: float) -> list[Stop]:
        await self._allow("stops")
        return await super().stops(wait_s)

    async def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        await self._allow("settle")
        return await super().settle(settlements)

    async def queues(self, model: str | None = None) -> dict[str, QueueState]:
        await self._allow("queues")
        return await super().queues(model)

    async def announce(self, presence: WorkerState) -> None:
        await self._allow("announce")
        self.announced.append(presence)
        await super().announce(presence)

    async def _allow(self, what: str) -> None:
        if what in self.away:
            raise self.refusal
        if what in self._held:
            await self._held[what].wait()


class House:
    """A worker, its engine, its replicas."""

    def __init__(self, *, replicas: int = 1, slots: int = 2) -> None:
        self.clock = FakeClock()
        self.engine = Engine(self.clock)
        self.made: list[FakeReplica] = []
        self.refusal = ""
        self.gate: asyncio.Event | None = None  # until it is set, replicas that are made load their model
        self.metrics = Metrics()
        self.card = CARD
        self._endings = Endings()
        self._events = Events()
        self._slots = slots
        plan = WorkerPlan(replicas, 3, LEASE_S, SILENCE_S, TIMEOUT_S, SETUP_TIMEOUT_S, GRACE_S, LogSettings())
        self.worker = Worker(plan, self._make, self._endings, self._events, self.engine, self.clock, self.metrics)

    def _make(self, number: int) -> FakeReplica:
        replica = FakeReplica(
            self._endings,
            self._slots,
            number,
            events=self._events,
            refusal=self.refusal,
            card=self.card,
            gate=self.gate,
        )
        self.made.append(replica)
        return replica

    def settled(self) -> int:
        """How many outcomes were counted."""
        page = self.metrics.page()[0].decode()
        counts = re.findall(r"^zypher_predictions_settled_total\{.*\} (.*)$", page, re.MULTILINE)
        return sum(int(float(count)) for count in counts)

    async def open(self) -> None:
        await self.engine.open()
        self.worker.start()
        await self.worker.run()

    async def close(self) -> None:
        await self.worker.stop()
        await self.engine.close()

    async def submit(self, *ids: str, input: bytes = b"1", options: Options = NO_OPTIONS) -> None:
        for each in ids:
            await submit_one(self.engine, Message(each, "m", input, self.clock.now(), options), durable=True)

    async def get(self, prediction_id: str) -> Prediction:
        found = await self.engine.get(prediction_id)
        assert found is not None
        return found

    async def running(self, *ids: str) -> list[Attempt]:
        """The attempts of these predictions, once a replica has them."""

        def found() -> list[Attempt]:
            running = [attempt for replica in self.made for attempt in replica.running]
            by_id = {attempt.delivery.message.prediction_id: attempt for attempt in running}
            return [by_id[each] for each in ids if each in by_id]

        await eventually(lambda: len(found()) == len(ids))
        return found()

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps, so that what waits for it can go on."""
        for _ in range(round(seconds / 0.5)):
            self.clock.advance(0.5)
            for _ in range(10):
                await asyncio.sleep(0)
