"""`zypher predict`: ask a running server for a prediction."""

import argparse
import os
import sys
from threading import Event
from typing import TYPE_CHECKING

from zypher.cli.input_argument import add_input, as_json, may_be_bytes, read_input
from zypher.cli.terminal import DONE, FAILED, INTERRUPTED, LiveLine, print_error, print_json
from zypher.errors import StartError

if TYPE_CHECKING:
    from zypher.client.client import Client
    from zypher.client.protocol import ClientError, Pending, Succeeded
    from zypher.clock import Clock

HELP = "Ask a running server for a prediction, and wait for its output."
USAGE = "INPUT | --file PATH [--json-input] [--async] [--json] [--url URL]"

_LIVE_POLL_S = 1
_POLL_S = 20
_SECOND_S = 3  # for a second Ctrl-C


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_input(parser)
    parser.add_argument("--async", dest="leave", action="store_true", help="print the prediction's id and do not wait")
    parser.add_argument("--json", action="store_true", help="print the whole record: prediction_id, status, output")
    parser.add_argument("--url", help="the server [variable ZYPHER_URL, else http://localhost:8080]")


def run(arguments: argparse.Namespace) -> int:
    content = read_input(arguments)
    input = None if may_be_bytes(arguments) else as_json(content, is_json=arguments.json_input)
    takes_bytes = False
    with LiveLine() as line:
        line.show("sending")  # the imports take longer
        from zypher.client.client import DEFAULT_URL, Client
        from zypher.client.protocol import ClientError, InvalidUrl

    try:
        with Client(arguments.url or os.environ.get("ZYPHER_URL") or DEFAULT_URL) as client:
            with LiveLine() as line:
                line.show("sending")
                if input is None:
                    takes_bytes = client.takes_bytes()
                    input = as_json(content, takes_bytes=takes_bytes)
                pending = client.submit(input)
            if arguments.leave:
                return _print_id(client, pending, record=arguments.json)
            return _wait(client, pending, record=arguments.json)
    except InvalidUrl as error:
        raise StartError(str(error)) from None
    except ClientError as error:
        print_error(_advice(error, as_text=not (arguments.json_input or takes_bytes)))
        return FAILED


def _print_id(client: "Client", pending: "Pending", *, record: bool) -> int:
    """Print the id of the prediction and how to read its result."""
    if record:
        location = client.url + pending.location
        print_json({"prediction_id": pending.prediction_id, "status": _status(pending), "location": location})
    else:
        print(pending.prediction_id, flush=True)
        print(_how_to_read(client, pending), file=sys.stderr)
    return DONE


def _wait(client: "Client", pending: "Pending", *, record: bool) -> int:
    """Follow a prediction to its end and print its output, or why it has none."""
    from zypher.client.protocol import PredictionEnded, Unavailable, Unreachable

    try:
        succeeded = _follow(client, pending)
    except KeyboardInterrupt:
        return _interrupted(client, pending)
    except (Unavailable, Unreachable) as error:
        print_error(f"{_advice(error)} The prediction is not lost. {_how_to_read(client, pending)}")
        return FAILED
    except PredictionEnded as error:
        if record:
            print_json({"prediction_id": error.prediction_id, "status": error.status, "error": str(error)})
        print_error(str(error))
        return FAILED
    whole = {"prediction_id": succeeded.prediction_id, "status": "succeeded", "output": succeeded.output}
    print_json(whole if record else succeeded.output)
    return DONE


def _interrupted(client: "Client", pending: "Pending") -> int:
    """Leave the prediction to itself, or cancel it at a second Ctrl-C on a terminal."""
    again = f" Ctrl-C again within {_SECOND_S} s cancels it." if sys.stderr.isatty() else ""
    try:
        print_error(f"Interrupted; the prediction goes on. {_how_to_read(client, pending)}{again}")
        if again:
            Event().wait(_SECOND_S)
    except KeyboardInterrupt:
        cancelled = client.cancel(pending.prediction_id)
        print_error("The prediction is cancelled." if cancelled else "The prediction is being stopped.")
    return INTERRUPTED


def _follow(client: "Client", pending: "Pending") -> "Succeeded":
    from zypher.client.protocol import Succeeded
    from zypher.clock import SystemClock

    progress = Progress(SystemClock())
    with LiveLine() as line:
        state = pending
        while not isinstance(state, Succeeded):
            line.show(progress.of(state))
            state = client.get(pending.prediction_id, _LIVE_POLL_S if line.live else _POLL_S)
        return state


class Progress:
    """The text of the live line."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._running_since: float | None = None  # as far as we saw

    def of(self, pending: "Pending") -> str:
        if pending.position:
            self._running_since = None
            return f"queued, position {pending.position}"
        now = self._clock.monotonic()
        if self._running_since is None:
            self._running_since = now
        return f"running, {now - self._running_since:.1f} s"


def _status(pending: "Pending") -> str:
    return "queued" if pending.position else "running"


def _how_to_read(client: "Client", pending: "Pending") -> str:
    return f"Read it with: curl {client.url}{pending.location}"


def _advice(error: "ClientError", *, as_text: bool = False) -> str:
    from zypher.client.protocol import Rejected, Unavailable

    if isinstance(error, Unavailable):
        return f"{error} Try again in {error.retry_after_s} s."
    if isinstance(error, Rejected) and error.status == 422 and "must be base64" in str(error):
        return f"{error} --file sends the content of a file, and - that of standard input."
    if isinstance(error, Rejected) and error.status == 422 and as_text:
        return f"{error} The input was sent as text; --json-input sends it as JSON."
    return str(error)
