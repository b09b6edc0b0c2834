"""The input's JSON bytes as the type that the model's hint asks for."""

import re
from typing import Any, cast

import msgspec

from zypher.errors import InvalidInput
from zypher.models import foreign
from zypher.models.user_error import headline
from zypher.telemetry.printable import encodable

_PLACE = re.compile(r"(?s)(?P<reason>.*) - at `(?P<place>[^`]*)`(?: in `(?P<container>[^`]*)`)?")


class InputDecoder:
    """Decodes inputs to one type, as strictly as the type's JSON Schema says."""

    def __init__(self, kind: object) -> None:
        """Raises TypeError for a type that JSON cannot give."""
        self._decoder = msgspec.json.Decoder[object](cast(Any, kind), dec_hook=_build)

    def decode(self, raw: bytes) -> object:
        """The input. Raises `InvalidInput`, whatever the user's own validators raise."""
        try:
            try:
                return self._decoder.decode(raw)
            except msgspec.ValidationError:
                return self._decoder.decode(_with_integers(raw))
        except Exception as error:
            raise InvalidInput(_sentence(error)) from error


def _build(kind: type, value: object) -> object:
    """An instance of a class that msgspec does not know."""
    library = foreign.types()
    return library.validate(kind, value) if library and library.is_model(kind) else value


def _with_integers(raw: bytes) -> bytes:
    """The same JSON with 3.0 written as 3: the same number to JSON Schema, but no int to msgspec."""
    return msgspec.json.encode(_integral(msgspec.json.decode(raw)))


def _integral(value: object) -> object:
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_integral(item) for item in cast(list[object], value)]
        case dict():
            return {key: _integral(item) for key, item in cast(dict[str, object], value).items()}
        case _:
            return value


def _sentence(error: Exception) -> str:
    """Such as `$.input.size: expected int, got str.`."""
    if isinstance(error, RecursionError):
        return "$.input is nested too deeply: send a flatter one."
    if not isinstance(error, msgspec.ValidationError):
        return f"$.input is refused by the model's input type: {headline(error)}."
    path, reason = "", str(error)
    if place := _PLACE.fullmatch(reason):
        path, reason = (place["container"] or place["place"]).removeprefix("$"), place["reason"]
    if isinstance(error.__cause__, foreign.Misfit):
        path, reason = path + error.__cause__.path, error.__cause__.reason
    return encodable(f"$.input{path:.500}: {reason[:1].lower()}{reason[1:500]}.")
