"""A model's `predict_batch`: what it takes, what it returns, and how it serves one input.

    def predict_batch(self, inputs: list[X]) -> list[Y]: ...  # or `async def`

An input is decoded as an X; the outputs are as many as the inputs, in their order.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from functools import partial
from typing import Any, cast, get_args, get_origin

import msgspec

from zypher.errors import InvalidInput, OutputError, TargetError
from zypher.models.hints import Predict, input_parameters, is_async, python_signature, resolve, written
from zypher.models.libraries import unwrapped
from zypher.models.parameters import fields_of
from zypher.models.signature import Signature, read_signature
from zypher.models.user_error import ABOUT_A_VALUE, headline

_LISTS = (list, Sequence)
_ANY = (Any, object, dict, dict[str, Any], dict[str, object])  # of one of several parameters' fields


class BatchPredict(msgspec.Struct, frozen=True):
    """A `predict_batch` with the inputs that it takes."""

    call: Callable[[list[object]], object]  # the outputs, or an awaitable of them
    decode: Callable[[bytes], object]  # raises `InvalidInput`
    label: str  # what messages call it
    partial: bool = False  # whether `predict` takes inputs that this does not

    def outputs(self, returned: object, count: int) -> list[object]:
        """What `call` returned for so many inputs, one output for each. Raises `OutputError`."""
        return _outputs(returned, count, self.label)


def one_by_one(predict_batch: Predict, owner: type | None, label: str) -> Predict:
    """`predict_batch` as a function of one input, with the type hints of one.

    Raises `TargetError` when it takes no list.
    """
    signature = python_signature(predict_batch, label)
    parameters = input_parameters(predict_batch, signature, label)
    if len(parameters) != 1:
        raise TargetError(f"{label} takes {len(parameters)} parameters, but one list of inputs is given to it.")
    (parameter,) = parameters
    element = _element(_hint(parameter.annotation, predict_batch, owner))
    if element is None:
        raise TargetError(f"{label} takes `{written(parameter)}`, but a list of inputs is given to it: use `list[X]`.")

    def predict(input: object) -> object:
        (output,) = _outputs(predict_batch([input]), 1, label)
        return output

    async def predict_in_task(input: object) -> object:
        (output,) = _outputs(await cast(Awaitable[object], predict_batch([input])), 1, label)
        return output

    one: Any = predict_in_task if is_async(predict_batch, label) else predict
    returned = _element(_hint(signature.return_annotation, predict_batch, owner))
    one.__signature__ = inspect.Signature(
        [inspect.Parameter(parameter.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=element)],
        return_annotation=Any if returned is None else returned,
    )
    return cast(Predict, one)


def beside_predict(predict_batch: Predict, single: Signature, owner: type | None, label: str) -> BatchPredict:
    """`predict_batch` of a model that has `predict`, too; `single` is the signature of that.

    An input of one parameter is the same for both. Of several parameters `predict_batch` takes the fields: as a dict,
    with the defaults of those that are missing, or as an object type; or only the first, and then inputs with others
    are for `predict`. Raises `TargetError` when the two cannot take the same inputs.
    """
    one = one_by_one(predict_batch, owner, label)
    element = python_signature(one, label).parameters
    (hint,) = (parameter.annotation for parameter in element.values())
    call = cast(Callable[[list[object]], object], predict_batch)
    several = len(single.parameters) > 1
    if hint in _ANY and (several or hint in _ANY[:2]):
        return BatchPredict(call, partial(_fields, single) if several else single.decoder.decode, label)
    batch = read_signature(one, owner, label)
    if not several and _same_input(single, batch):
        return BatchPredict(call, batch.decoder.decode, label)
    if several and _is_object(batch):
        return BatchPredict(call, batch.decoder.decode, label, partial=True)
    first, *others = single.parameters
    if several and all(each.default is not each.empty for each in others) and _is_field(first.name, single, batch):
        return BatchPredict(call, partial(_only_field, first.name, batch), label, partial=True)
    shown = ", ".join(map(written, single.parameters))
    raise TargetError(
        f"{label} takes a list of `{inspect.formatannotation(hint)}`, but `predict` takes `{shown}`: both must take "
        "the same input" + ("; `list[dict]` takes the fields of several parameters." if several else ".")
    )


def _outputs(returned: object, count: int, label: str) -> list[object]:
    """The output of each input. Raises `OutputError` when there are not as many outputs as inputs."""
    try:
        if isinstance(returned, str | bytes | bytearray | Mapping | Set) or not hasattr(returned, "__len__"):
            raise OutputError(
                f"{label} returned a `{type(cast(object, returned)).__qualname__}`: return a list with one output for "
                "each input, in their order."
            )
        outputs = list(cast(Sequence[object], returned))
    except ABOUT_A_VALUE as error:
        raise OutputError(f"What {label} returned cannot be read as a list: {headline(error)}.") from error
    if len(outputs) != count:
        many, most = _counted(len(outputs), "output"), _counted(count, "input")
        raise OutputError(f"{label} returned {many} for {most}: return one for each, in their order.")
    return outputs


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _hint(annotation: object, predict_batch: Predict, owner: type | None) -> object:
    try:
        return resolve(annotation, predict_batch, owner)
    except Exception:  # a text that names nothing: as no hint
        return Any


def _element(hint: object) -> object:
    """The type of the members of a list; None when the hint is not one of a list."""
    if hint is Any:
        return Any
    if (get_origin(hint) or hint) not in _LISTS:
        return None
    (element,) = get_args(hint) or (Any,)
    return element


def _same_input(one: Signature, other: Signature) -> bool:
    shared = one.components.keys() & other.components.keys()
    return one.input_schema == other.input_schema and all(one.components[n] == other.components[n] for n in shared)


def _is_object(signature: Signature) -> bool:
    schema: Mapping[str, object] = signature.input_schema
    if isinstance(reference := schema.get("$ref"), str):
        named = signature.components.get(reference.rpartition("/")[2])
        schema = cast(Mapping[str, object], named) if isinstance(named, dict) else {}
    return schema.get("type") == "object"


def _is_field(name: str, single: Signature, batch: Signature) -> bool:
    schema: Any = single.input_schema
    if isinstance(reference := schema.get("$ref"), str):
        schema = single.components.get(reference.rpartition("/")[2], {})
    return schema.get("properties", {}).get(name) == batch.input_schema


def _fields(single: Signature, raw: bytes) -> object:
    return fields_of(single.decoder.decode(raw), single.parameters, unwrapped)


_object_of_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _only_field(name: str, batch: Signature, raw: bytes) -> object:
    """Raises `InvalidInput` for an input that has other fields."""
    try:
        fields = _object_of_raw(raw)
    except msgspec.MsgspecError as error:
        raise InvalidInput("$.input must be an object.") from error
    if fields.keys() != {name}:
        raise InvalidInput(f"$.input has other fields than `{name}`.")
    return batch.decoder.decode(bytes(fields[name]))
