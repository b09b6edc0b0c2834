"""The events of predictions: publish, read."""

from collections.abc import Sequence
from typing import cast

import msgspec

from zypher.engines.contract import EVENT_BYTES, MOST_EVENT_BYTES
from zypher.engines.redis_streams.connection.failures import UnusableData
from zypher.engines.redis_streams.connection.pipeline import Pipeline
from zypher.engines.redis_streams.keys import channels, to_bytes
from zypher.engines.redis_streams.known_models import KnownModels
from zypher.engines.redis_streams.scripts import script
from zypher.prediction import Delivery, Event, EventKind

_HIGHEST = 2**53  # of the numbers that Lua has exactly


class Found(msgspec.Struct, frozen=True):
    """What Redis has of a prediction's events."""

    events: list[Event]
    ended: bool


class Events:
    """The events of all predictions; this process is sent the next ones of a prediction by its `watcher` id."""

    def __init__(self, pipeline: Pipeline, models: KnownModels, prefix: str, watcher: str) -> None:
        self._pipeline = pipeline
        self._models = models
        self._channels = channels(prefix)
        self._watcher = watcher

    async def publish(self, delivery: Delivery, events: Sequence[Event]) -> bool:
        message = delivery.message
        answer = await self._pipeline.run(
            script("publish"),
            (self._models.keys(message.model).base,),
            (
                *(self._channels, to_bytes(message.prediction_id), delivery.receipt, delivery.attempt),
                *(MOST_EVENT_BYTES, EVENT_BYTES),
                *(word for event in events for word in (event.kind.value, event.content)),
            ),
        )
        return answer == 1

    async def read(self, model: str, prediction_id: str, after: int, *, listen: bool) -> Found | None:
        """None when there is no prediction of this id; with `listen`, this process is sent that there are more."""
        answer = await self._pipeline.run(
            script("events"),
            (self._models.keys(model).base,),
            (to_bytes(prediction_id), max(0, min(after, _HIGHEST)), self._watcher if listen else ""),
        )
        if not answer:
            return None
        ended, entries = cast(tuple[int, list[tuple[bytes, list[bytes]]]], answer)
        return Found([_event(prediction_id, number, words) for number, words in entries], ended == 1)


def _event(prediction_id: str, number: bytes, words: list[bytes]) -> Event:
    try:
        _, kind, _, attempt, _, content = words
        return Event(EventKind(kind.decode()), content, int(attempt), int(number.partition(b"-")[0]))
    except ValueError:
        raise UnusableData(
            f"The events of prediction {prediction_id} in Redis are not such as this version of zypher can read; "
            "install the version that wrote them."
        ) from None
