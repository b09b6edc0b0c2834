"""The stops that a worker of this process has not taken yet."""

from zypher.clock import Clock
from zypher.engines.contract import Stop
from zypher.engines.waiters import Waiter
from zypher.prediction import Delivery, StopReason


class Stops:
    """At most one of each delivery."""

    def __init__(self, clock: Clock) -> None:
        self._waiter = Waiter[None](clock)
        self._stops: dict[tuple[str, str], Stop] = {}  # by prediction id and receipt

    def add(self, delivery: Delivery, reason: StopReason) -> None:
        """Let the worker of this delivery stop it; the last reason counts."""
        self._stops[_name(delivery)] = Stop(delivery, reason)
        self._waiter.wake()

    def forget(self, delivery: Delivery) -> None:
        """Stop this delivery no more: it is settled or released."""
        self._stops.pop(_name(delivery), None)

    async def take(self, wait_s: float) -> list[Stop]:
        """All that were added since; waits up to `wait_s` seconds for one, or until woken."""
        self._waiter.reset()
        if not self._stops and wait_s > 0:
            await self._waiter.wait(wait_s)
        taken, self._stops = list(self._stops.values()), {}
        return taken

    def wake(self) -> None:
        """End the wait."""
        self._waiter.wake()


def _name(delivery: Delivery) -> tuple[str, str]:
    return delivery.message.prediction_id, delivery.receipt
