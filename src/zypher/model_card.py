"""What a worker announces of its model: a server learns name and schemas from here and never imports the model."""

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
