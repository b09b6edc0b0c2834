"""The input's JSON bytes as the type that the model's hint asks for."""

import re
from collections.abc import Callable
from typing import Any, cast, get_origin

import msgspec

from zypher.errors import InvalidInput
from zypher.models import libraries
from zypher.models.user_error import ABOUT_A_VALUE, headline
from zypher.text import encodable

_PLACE = re.compile(r"(?s)(?P<reason>.*) - at `(?P<place>[^`]*)`(?: in `(?P<container>[^`]*)`)?")


class InputDecoder:
    """Decodes inputs to one type."""

    def __init__(self, read: Callable[[bytes], object]) -> None:
        """`read` raises `InvalidValue`, or an error of msgspec."""
        self._read = read

    @classmethod
    def by_msgspec(cls, kind: object) -> "InputDecoder":
        """As strict as the type's JSON Schema. Raises TypeError for a type that JSON cannot give."""
        decoder = msgspec.json.Decoder[object](cast(Any, kind), dec_hook=_build)

        def read(raw: bytes) -> object:
            try:
                return decoder.decode(raw)
            except msgspec.ValidationError:
                return decoder.decode(_floats_to_integers(raw))

        return cls(read)

    def decode(self, raw: bytes) -> object:
        """The input. Raises `InvalidInput`, and what the user's own validators raise that is not about a value."""
        try:
            return self._read(raw)
        except ABOUT_A_VALUE as error:
            raise InvalidInput(_sentence(error)) from error


def _build(kind: type, value: object) -> object:
    """An instance of a class unknown to msgspec, which may have parameters."""
    plain = cast(type, get_origin(kind) or kind)
    for each in libraries.arrays():
        if each.schema(plain, "validation") is not None:
            return each.read(kind, value)
    library = libraries.types()
    if library is None or not library.is_model(kind):
        return value
    return library.reader(kind).read(msgspec.json.encode(value))


def _floats_to_integers(raw: bytes) -> bytes:
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
    """Such as `$.input.size: expected int, got str.`, or `$.input.size must be an integer.`."""
    if isinstance(error, RecursionError):
        return "$.input is nested too deeply: send a flatter one."
    if isinstance(error, libraries.InvalidValue):
        return _refusal(error.path, error.reason)
    if not isinstance(error, msgspec.ValidationError):
        return f"$.input is refused by the model's input type: {headline(error)}."
    path, reason = "", str(error)
    if place := _PLACE.fullmatch(reason):
        path, reason = (place["container"] or place["place"]).removeprefix("$"), place["reason"]
    if isinstance(error.__cause__, libraries.InvalidValue):
        path, reason = path + error.__cause__.path, error.__cause__.reason
    return _refusal(path, reason[:1].lower() + reason[1:])


def _refusal(path: str, reason: str) -> str:
    colon = "" if reason.startswith(("must ", "is ")) else ":"
    return encodable(f"$.input{path:.500}{colon} {reason.removesuffix('.'):.500}.")
