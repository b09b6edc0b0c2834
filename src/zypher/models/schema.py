"""Whether an input fits a model's JSON Schema, without the model: what a server asks before it accepts."""

import logging
from collections.abc import Callable

import msgspec

from zypher.errors import InvalidInput
from zypher.model_card import ModelCard
from zypher.models.checked_schema import CheckedSchema, compiled, takes_every_text
from zypher.models.input_errors import InputErrors

logger = logging.getLogger(__name__)


class InputValidator:
    """Checks inputs against one model's input schema.

    It may accept what the model's own type refuses, where JSON Schema cannot express it; it never
    refuses what the schema allows.
    """

    def __init__(self, card: ModelCard) -> None:
        """Takes milliseconds. A schema that cannot be compiled accepts everything."""
        self._fits: Callable[[object], bool] = _everything
        self._errors: InputErrors | None = None
        self._documented: InputValidator | None = None  # of the schema that is stricter, and plainer
        self.takes_every_text = True  # whether each well-formed JSON string fits
        schema, components = _accepted(card)
        if schema:
            try:
                checked = CheckedSchema(schema, components)
                self._fits = compiled(checked.schema).is_valid
            except Exception:  # the schema is the model author's; the replica is strict
                return
            self._errors = InputErrors(checked.schema)
            self.takes_every_text = takes_every_text(checked.schema)
            if card.acceptance_schema is not None and card.input_schema:
                self._documented = _documented(card)
            _warn_of(checked.patterns_left_out, card.name)

    def check(self, raw: bytes) -> None:
        """Accept the input, which is well-formed JSON, or raise `InvalidInput`."""
        try:
            value: object = _decode(raw)
            if self._fits(value):
                return
        except msgspec.ValidationError:
            raise InvalidInput("$.input has a number that is out of range: send a smaller one.") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InvalidInput("$.input has text that is not Unicode: send whole characters as UTF-8.") from None
        except (RecursionError, ValueError):  # the latter of the validator
            raise InvalidInput("$.input is nested too deeply: send a flatter one.") from None
        assert self._errors is not None, "without a schema everything fits"
        if self._documented is not None:
            self._documented.check(raw)
        raise InvalidInput(self._errors.sentence(value))


def _accepted(card: ModelCard) -> tuple[dict[str, object], dict[str, object]]:
    """The schema to check, and its components."""
    if card.acceptance_schema is None:
        return card.input_schema, card.components
    return card.acceptance_schema, msgspec.convert(card.acceptance_schema, _WithComponents).components.schemas


class _Components(msgspec.Struct):
    schemas: dict[str, object] = {}


class _WithComponents(msgspec.Struct):
    components: _Components = msgspec.field(default_factory=_Components)


def _documented(card: ModelCard) -> InputValidator:
    return InputValidator(msgspec.structs.replace(card, acceptance_schema=None))


_decode = msgspec.json.Decoder().decode


def _everything(_: object) -> bool:
    return True


def _warn_of(patterns: list[str], model: str) -> None:
    if patterns:
        about = {"model": model, "patterns": ", ".join(dict.fromkeys(patterns))}
        logger.warning("patterns that need look-around or back-references are checked by the model only", extra=about)
