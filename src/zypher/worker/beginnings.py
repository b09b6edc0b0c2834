"""Records in the engine which attempts the models have begun."""

from zypher.clock import Clock
from zypher.engines.contract import Deliveries
from zypher.worker.attempt import Attempts
from zypher.worker.replicas import Replicas
from zypher.worker.slots import Slots

_AFTER_S = 0.05


class FirstRecords:
    """Lets careful attempts run: what may have ended its workers before they could record that it had begun.

    Each is recorded once it has its slot: one that only waits for it is never charged.
    """

    def __init__(self, engine: Deliveries, slots: Slots) -> None:
        self._engine = engine
        self._slots = slots

    async def step(self) -> None:
        """Record those that have a slot, and let them run. Raises `EngineUnavailable`."""
        attempts = await self._slots.unrecorded()
        recorded = False
        try:
            await self._engine.begin([attempt.delivery for attempt in attempts])
            recorded = True
        finally:
            for attempt in attempts:
                attempt.noted = recorded
                self._slots.let_run(attempt, recorded=recorded)


class Beginnings:
    """An attempt that has begun counts, whatever happens to its worker.

    One that ends within a moment needs no record: its outcome implies that it began.
    """

    def __init__(self, engine: Deliveries, clock: Clock, attempts: Attempts, replicas: Replicas) -> None:
        self._engine = engine
        self._clock = clock
        self._attempts = attempts
        self._replicas = replicas

    async def step(self) -> None:
        """Record those that have begun, a moment after there is one. Raises `EngineUnavailable`."""
        await self._attempts.unnoted()
        await self._clock.sleep(_AFTER_S)
        begun = [attempt for replica in self._replicas.living for attempt in replica.begun() if not attempt.noted]
        if begun:
            await self._engine.begin([attempt.delivery for attempt in begun])
            for attempt in begun:
                attempt.noted = True
