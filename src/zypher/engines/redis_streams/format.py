"""The hash PREFIX: the format of all keys under a prefix, and the models that were ever served."""

from urllib.parse import quote, unquote

from zypher.errors import EngineError

FORMAT = 2
_TAKEN_OVER = b"1"  # the format that is taken over at the start

_MODEL = "model:"


def check_format(written: object, prefix: str, address: str) -> None:
    """Check the field `format` of the hash PREFIX, None if it has none. Raises `EngineError` for another format.

    An older one is found where it was restored under a process that runs; the next that starts takes it over.
    """
    if written is None:
        return
    if not isinstance(written, bytes) or not written.isdigit():
        raise not_ours(prefix, address)
    if int(written) > FORMAT:
        raise EngineError(
            f"The predictions at {address} were written by a newer version of zypher (format {int(written)}, "
            f"this one has {FORMAT}); install that version, or choose other keys with ?prefix=NAME."
        )
    if int(written) < FORMAT:
        raise EngineError(
            f"The predictions at {address} are those of an older version of zypher (format {int(written)}, this one "
            f"has {FORMAT}); stop all processes that use them and start them again, which takes them over."
        )


def is_taken_over(written: object) -> bool:
    """Whether this is the format before, which a process takes over when it starts."""
    return written == _TAKEN_OVER


def not_ours(prefix: str, address: str) -> EngineError:
    """The error for a key PREFIX of another program."""
    return EngineError(
        f"The key {prefix!r} at {address} is not one of zypher's; it was left as it is: "
        "choose other keys with ?prefix=NAME at the end of the engine's URL."
    )


def model_field(model: str) -> str:
    """The field of the hash PREFIX that stands for a model."""
    return _MODEL + quote(model, safe="", errors="surrogatepass")


def model_of(field: bytes) -> str | None:
    """The model that a field of the hash PREFIX stands for, None if it is no such field."""
    try:
        name = unquote(field.decode().removeprefix(_MODEL), errors="surrogatepass")
    except UnicodeDecodeError:
        return None
    return name if field == model_field(name).encode() else None
