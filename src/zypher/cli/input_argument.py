"""The input of a command: text, or JSON with `--json-input`."""

import argparse
import sys
from pathlib import Path

import msgspec

from zypher.errors import StartError


def add_input(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "input", metavar="INPUT", nargs="?", help="the input, sent as text; - reads it from standard input"
    )
    source.add_argument("--file", metavar="PATH", help="read the input from a file, of text or of bytes")
    parser.add_argument(
        "--json-input",
        action="store_true",
        help="send the input as the JSON it is: a number, a list, an object",
    )


def read_input(arguments: argparse.Namespace) -> bytes:
    """The input as it is in the argument, the file or standard input. Raises `StartError`."""
    try:
        if arguments.file is not None:
            return Path(arguments.file).read_bytes()
        return sys.stdin.buffer.read() if arguments.input == "-" else arguments.input.encode()
    except OSError as error:
        raise StartError(f"{arguments.file} cannot be read: {error.strerror}.") from None
    except UnicodeError:
        raise StartError("The input is not UTF-8; put it into a file, and name that with --file.") from None


def may_be_bytes(arguments: argparse.Namespace) -> bool:
    """Whether the input is the content of a file, which is text for some models and bytes for others."""
    return not arguments.json_input and (arguments.file is not None or arguments.input == "-")


def as_json(content: bytes, *, is_json: bool = False, takes_bytes: bool = False) -> msgspec.Raw:
    """The input as JSON: as it is, as base64 for a model that takes bytes, else as a text. Raises `StartError`."""
    if takes_bytes:
        return msgspec.Raw(msgspec.json.encode(content))
    try:
        text = content.decode()
        if not is_json:
            return msgspec.Raw(msgspec.json.encode(text))
        msgspec.json.decode(text)
    except UnicodeError:
        raise StartError("The input is not UTF-8, and the model takes no bytes alone; send a text or JSON.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise StartError(f"The input is not JSON ({error}); without --json-input it is sent as text.") from None
    return msgspec.Raw(content)
