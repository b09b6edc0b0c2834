"""What a worker announces of itself, and what can be read of a model's queue.

A server learns a model's name and schemas from here, never by importing the model.
"""

from datetime import datetime

import msgspec


class ModelCard(msgspec.Struct, frozen=True):
    """A model as the outside sees it."""

    name: str  # unique in a service: the function's or class's name unless it states its own
    description: str  # the model's docstring, "" without one
    input_schema: dict[str, object]  # JSON Schema 2020-12; refers to `components` as #/components/schemas/NAME
    output_schema: dict[str, object]
    components: dict[str, object]  # name -> JSON Schema
    concurrency: int  # slots per replica that the model states, 1 unless it does
    acceptance_schema: dict[str, object] | None = None  # what a server checks; None: `input_schema`


class Presence(msgspec.Struct, frozen=True):
    """What one worker says of itself each time something about it changes."""

    worker_id: str
    model: str  # the model's name; "" until a replica has loaded it once
    card: ModelCard | None  # None until a replica has loaded it once
    replicas: int  # how many it is asked to keep, 0 in the last word of one that stops
    ready_replicas: int  # how many can take work now
    slots: int  # predictions it can run at once, over all ready replicas
    problem: str | None = None  # why a replica cannot start, a sentence
    draining: bool = False
    announced_at: datetime | None = None  # when it said so, by its own clock: its last sign of life

    @property
    def gone(self) -> bool:
        """Whether this is the last word of a worker that stops."""
        return self.replicas == 0

    @property
    def schemas(self) -> object:
        """What all workers of a model must agree on; None while it takes no new predictions or has no model yet."""
        card = self.card
        return None if card is None or self.draining else (card.input_schema, card.output_schema, card.components)

    def disagrees(self, other: "Presence") -> bool:
        """Whether both serve one model with different schemas."""
        if self.model != other.model or self.schemas is None or other.schemas is None:
            return False
        return self.schemas != other.schemas


class Depth(msgspec.Struct, frozen=True):
    """One model's queue at one moment."""

    queued: int  # waiting, delayed ones included
    running: int  # leased
    oldest_queued_at: datetime | None
    run_s: float | None  # moving average of the run time; None before the first
    limit: int  # how many may wait
    presences: tuple[Presence, ...]  # workers of this model that are alive
    problem: str | None = None  # why the engine cannot accept now, a sentence
    delayed: int = 0  # of the queued ones, those that wait for an instant
    dead: int = 0  # dead letters

    def waited_s(self, now: datetime) -> float:
        """How long the oldest queued prediction has waited, 0 when none is queued."""
        return 0.0 if self.oldest_queued_at is None else max(0.0, (now - self.oldest_queued_at).total_seconds())
