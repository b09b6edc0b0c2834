"""`zypher check`: load a model as a server would, and try it once."""

import argparse
from typing import TYPE_CHECKING

from zypher.cli.setting_flags import read_settings
from zypher.cli.terminal import DONE, FAILED, SIGNALLED, print_error, print_json, shown_json
from zypher.errors import StartError

if TYPE_CHECKING:
    import msgspec

    from zypher.worker.check import CheckReport

HELP = "Load a model in a replica and show its schemas; with --input, run it once."
USAGE = "TARGET [--input JSON] [--json]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help="package.module:Name or path/to/file.py:Name")
    parser.add_argument("--input", metavar="JSON", help="run the model on this input; a text needs its quotes")
    parser.add_argument("--json", action="store_true", help="print one JSON record")


def run(arguments: argparse.Namespace) -> int:
    settings = read_settings(arguments).settings
    input = _input(arguments.input)
    from zypher.assembly import check
    from zypher.service.lifecycle import Interrupted
    from zypher.telemetry.logs import configure

    configure(settings.log)
    try:
        report = check(settings, input)
    except Interrupted as signal:
        print_error("Interrupted.")
        return SIGNALLED + signal.number
    return show(report, as_json=arguments.json)


def show(report: "CheckReport", *, as_json: bool) -> int:
    """Print what was found; the exit code."""
    if as_json:
        print_json(_record(report))
    else:
        print(_page(report))
    if report.outcome is None or report.outcome.failure is None:
        return DONE
    print_error(report.outcome.failure.message)
    return FAILED


def _input(text: str | None) -> bytes | None:
    if text is None:
        return None
    import msgspec

    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise StartError(f"--input is not JSON ({error}); a text needs its quotes: --input '\"some text\"'.") from None
    return text.encode()


def _page(report: "CheckReport") -> str:
    card = report.card
    parts = [f"{card.name}: loaded in {report.load_s:.2f} s, concurrency {card.concurrency}"]
    if card.description:
        parts.append(card.description)
    parts.append("input schema\n" + shown_json(card.input_schema, indent=2))
    parts.append("output schema\n" + shown_json(card.output_schema, indent=2))
    if card.components:
        parts.append("components\n" + shown_json(card.components, indent=2))
    if report.outcome is not None and report.outcome.output is not None:
        output = shown_json(_raw(report.outcome.output), indent=2)
        parts.append(f"output, after {report.outcome.run_s:.3f} s\n{output}")
    return "\n\n".join(parts)


def _record(report: "CheckReport") -> dict[str, object]:
    import msgspec

    record: dict[str, object] = msgspec.structs.asdict(report.card)
    record["load_s"] = report.load_s
    if report.outcome is not None:
        failure = report.outcome.failure
        record["status"] = str(report.outcome.status)
        record["run_s"] = report.outcome.run_s
        record["output"] = _raw(report.outcome.output or b"null")
        record["failure"] = None if failure is None else failure.message
    return record


def _raw(json: bytes) -> "msgspec.Raw":
    import msgspec

    return msgspec.Raw(json)
