"""What a worker announces of its model: a server learns name and schemas from here and never imports the model."""

import hashlib

import msgspec


class ModelCard(msgspec.Struct, frozen=True):
    """A model as the outside sees it."""

    name: str  # unique in a service: the function's or class's name unless it states its own
    description: str  # the model's docstring, "" without one
    input_schema: dict[str, object]  # JSON Schema 2020-12; refers to `components` as #/components/schemas/NAME
    output_schema: dict[str, object]
    components: dict[str, object]  # name -> JSON Schema
    concurrency: int  # slots per replica that the model states, 1 unless it does
    timeout_s: float | None = None  # longest run of an attempt that the model states, 0 for any; None: unsaid
    acceptance_schema: dict[str, object] | None = None  # what a server checks; None: `input_schema`
    max_batch_size: int = 1  # inputs that it takes at once, as it states
    max_batch_wait_ms: float = 0.0  # that an input may wait for others, as it states
    defined_as: str = ""  # the function's or class's name in its file, "" of a card of an earlier version


def revision_of(card: ModelCard) -> str:
    """The name of the card's revision: 12 characters, the same for all cards with the same schemas."""
    schemas = card.input_schema, card.output_schema, card.components, card.acceptance_schema
    content = msgspec.json.encode(schemas, order="deterministic")
    return hashlib.blake2b(content, digest_size=6).hexdigest()
