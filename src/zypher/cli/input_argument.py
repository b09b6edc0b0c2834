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
    source.add_argument("--file", metavar="PATH", help="read the input from a file")
    parser.add_argument(
        "--json-input",
        action="store_true",
        help="send the input as the JSON it is: a number, a list, an object",
    )


def read_input(arguments: argparse.Namespace) -> msgspec.Raw:
    """The input as JSON. Raises `StartError`."""
    text = _read(arguments)
    if not arguments.json_input:
        return msgspec.Raw(msgspec.json.encode(text))
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise StartError(f"The input is not JSON ({error}); without --json-input it is sent as text.") from None
    return msgspec.Raw(text.encode())


def _read(arguments: argparse.Namespace) -> str:
    try:
        if arguments.file is not None:
            return Path(arguments.file).read_bytes().decode()
        text: str = sys.stdin.buffer.read().decode() if arguments.input == "-" else arguments.input
        text.encode()
    except OSError as error:
        raise StartError(f"{arguments.file} cannot be read: {error.strerror}.") from None
    except UnicodeError:
        raise StartError("The input is not UTF-8; encode it as text, in base64 for example.") from None
    return text
