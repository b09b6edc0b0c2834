"""Whether an input fits a model's JSON Schema, without the model: what a server asks before it accepts."""

from collections.abc import Callable

import fastjsonschema
import msgspec

from zypher.errors import InvalidInput
from zypher.models.draft7 import FORMATS, draft7
from zypher.presence import ModelCard

_LONGEST = 300  # characters of a message: paths and unknown keys are the caller's


class InputValidator:
    """Checks inputs against one model's input schema.

    It may accept what the model's own type refuses, where JSON Schema cannot say it; it never
    refuses what the schema allows.
    """

    def __init__(self, card: ModelCard) -> None:
        """Takes milliseconds. A schema that cannot be compiled accepts everything."""
        self._validate: Callable[[object], object] | None = None
        if card.input_schema:
            try:
                self._validate = _compile(card)
            except Exception:  # the schema is the model author's; the replica is strict
                self._validate = None

    def check(self, raw: bytes) -> None:
        """Accept the input, which is well-formed JSON, or raise `InvalidInput`."""
        try:
            value: object = _decode(raw)
            if self._validate:
                self._validate(value)
        except fastjsonschema.JsonSchemaValueException as error:
            raise InvalidInput(_sentence(error)) from None
        except ArithmeticError:  # a number too big for the schema's arithmetic; the replica is strict
            return
        except msgspec.ValidationError:
            raise InvalidInput("$.input has a number that is out of range: send a smaller one.") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InvalidInput("$.input has text that is not Unicode: send whole characters as UTF-8.") from None
        except RecursionError:
            raise InvalidInput("$.input is nested too deeply: send a flatter one.") from None


_decode = msgspec.json.Decoder().decode


def _compile(card: ModelCard) -> Callable[[object], object]:
    root = draft7(card.input_schema, card.components)
    return fastjsonschema.compile(root, formats=FORMATS, use_default=False)


def _sentence(error: fastjsonschema.JsonSchemaValueException) -> str:
    """The message with our path, such as `$.input.size must be integer`."""
    path = "$.input" + (error.name or "data").removeprefix("data")
    reason = _REASONS.get(error.rule or "", _own_reason)(error)
    return _short(path) + " " + _short(reason) + "."


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _own_reason(error: fastjsonschema.JsonSchemaValueException) -> str:
    return error.message.removeprefix(error.name or "").strip()


def _missing(error: fastjsonschema.JsonSchemaValueException) -> str:
    missing = [f"`{key}`" for key in error.rule_definition if key not in error.value]
    return f"must contain {', '.join(missing)}"


def _unknown(error: fastjsonschema.JsonSchemaValueException) -> str:
    known = error.definition.get("properties", {})
    unknown = [f"`{key}`" for key in error.value if key not in known]
    return f"must not contain {', '.join(unknown)}"


def _no_option(_: fastjsonschema.JsonSchemaValueException) -> str:
    return "must fit one of the types that are allowed here"


_REASONS: dict[str, Callable[[fastjsonschema.JsonSchemaValueException], str]] = {
    "required": _missing,
    "additionalProperties": _unknown,
    "anyOf": _no_option,
    "oneOf": _no_option,
}
