"""The format of what is kept under a prefix, and whose it is."""

from zypher.errors import EngineError

FORMAT = 1


def check_format(written: object, prefix: str, address: str) -> None:
    """Look at what the hash PREFIX says of its format, None for nothing. Raises `EngineError`."""
    if written is None:
        return
    if not isinstance(written, bytes) or not written.isdigit():
        raise foreign(prefix, address)
    if int(written) > FORMAT:
        raise EngineError(
            f"The predictions at {address} were written by a newer version of zypher (format {int(written)}, "
            f"this one knows {FORMAT}); install that version, or choose other keys with ?prefix=NAME."
        )


def foreign(prefix: str, address: str) -> EngineError:
    """Why somebody else's key cannot be used."""
    return EngineError(
        f"The key {prefix!r} at {address} is not one of zypher's; it was left as it is: "
        "choose other keys with ?prefix=NAME at the end of the engine's URL."
    )
