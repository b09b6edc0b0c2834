"""What was received here and is neither settled, released nor lost, and which of it is to be stopped."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from zypher.clock import Clock
from zypher.engines.contract import Stop
from zypher.engines.stops import Stops
from zypher.prediction import Delivery, StopReason


class HeldDeliveries:
    """Each delivery is stopped once at most for being cancelled, and once for losing its lease."""

    def __init__(self, clock: Clock) -> None:
        self._stops = Stops(clock)
        self._held: dict[str, dict[str, Delivery]] = {}  # by prediction id and receipt
        self._cancelled: set[tuple[str, str]] = set()  # those of them that are stopped already
        self._arriving: list[set[str]] = []  # what was cancelled while an answer to a receive is under way

    def __iter__(self) -> Iterator[Delivery]:
        return (delivery for held in self._held.values() for delivery in held.values())

    @contextmanager
    def arriving(self) -> Generator[set[str]]:
        """The ids that are cancelled as long as the context lasts, for `add`: a message may overtake an answer."""
        cancelled: set[str] = set()
        self._arriving.append(cancelled)
        try:
            yield cancelled
        finally:
            self._arriving.remove(cancelled)

    def add(self, deliveries: Sequence[Delivery], cancelled: set[str]) -> None:
        """Hold these; those of them that are cancelled are to be stopped."""
        for delivery in deliveries:
            prediction_id = delivery.message.prediction_id
            self._held.setdefault(prediction_id, {})[delivery.receipt] = delivery
            if prediction_id in cancelled:
                self.cancel(delivery)

    def forget(self, delivery: Delivery) -> None:
        """Hold this delivery no longer and stop it no more, for it is settled, released or lost."""
        prediction_id, receipt = delivery.message.prediction_id, delivery.receipt
        self._stops.forget(delivery)
        self._cancelled.discard((prediction_id, receipt))
        held = self._held.get(prediction_id, {})
        held.pop(receipt, None)
        if not held:
            self._held.pop(prediction_id, None)

    def lose(self, delivery: Delivery) -> None:
        """Stop what has lost its lease, unless it was settled or released."""
        if delivery.receipt in self._held.get(delivery.message.prediction_id, {}):
            self.forget(delivery)
            self._stops.add(delivery, StopReason.LEASE_LOST)

    def cancel(self, delivery: Delivery) -> None:
        """Stop what is cancelled, unless it was settled, released or stopped before."""
        name = delivery.message.prediction_id, delivery.receipt
        if name not in self._cancelled and name[1] in self._held.get(name[0], {}):
            self._cancelled.add(name)
            self._stops.add(delivery, StopReason.CANCELLED)

    def cancel_all(self, prediction_id: str) -> None:
        """The same for all deliveries of a prediction."""
        for cancelled in self._arriving:
            cancelled.add(prediction_id)
        for delivery in list(self._held.get(prediction_id, {}).values()):
            self.cancel(delivery)

    async def stops(self, wait_s: float) -> list[Stop]:
        """All since the last call; waits up to `wait_s` seconds for one, or until woken."""
        return await self._stops.take(wait_s)

    def wake(self) -> None:
        """End the wait."""
        self._stops.wake()
