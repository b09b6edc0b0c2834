"""`zypher queue dead`: list, show, replay or purge dead letters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zypher.cli.exit_codes import DONE, FAILED
from zypher.cli.tables import table
from zypher.cli.terminal import complain, print_json
from zypher.errors import StartError
from zypher.telemetry.printable import printable

if TYPE_CHECKING:
    from datetime import datetime

    from zypher.operations.overseen import Overseen
    from zypher.prediction import Prediction
    from zypher.settings import EngineSettings

_MOST_LISTED = 100  # of each model
_DEEDS = {"show": "shown", "replay": "queued again", "purge": "forgotten"}


async def attend(settings: "EngineSettings", words: Sequence[str], *, every: bool, as_json: bool) -> int:
    """Do what `words` say; the exit code. Raises `StartError`, and a `Refused` when the engine cannot do it now."""
    _check(words, every=every)
    from zypher.assembly import oversight

    async with oversight(settings) as engine:
        match words:
            case ["show", prediction_id]:
                return await _show(engine.operations, prediction_id, as_json=as_json)
            case ["replay" | "purge" as deed, *ids]:
                return await _do(engine.operations, deed, ids, as_json=as_json)
            case _:
                return await _list(engine.operations, *words, as_json=as_json)


def _check(words: Sequence[str], *, every: bool) -> None:
    """Refuse before the engine is asked for anything."""
    deed = words[0] if words and words[0] in _DEEDS else None
    if deed is None and (len(words) > 1 or every):
        raise StartError(
            "`zypher queue dead` takes a model, or one of show, replay and purge; see `zypher queue --help`."
        )
    if deed == "show" and (len(words) != 2 or every):
        raise StartError("`zypher queue dead show` takes the id of one dead letter; `zypher queue dead` lists them.")
    if deed is not None and deed != "show" and (len(words) == 2) == every:
        raise StartError(f"`zypher queue dead {deed}` takes the id of one dead letter, or --all.")


async def _list(operations: "Overseen", model: str | None = None, *, as_json: bool) -> int:
    from zypher.operations.dead import dead_letters

    letters = await dead_letters(operations, model, _MOST_LISTED)
    if as_json:
        print_json([_record(letter) for letter in letters])
    else:
        print(printable(page(letters)))
    return DONE


async def _show(operations: "Overseen", prediction_id: str, *, as_json: bool) -> int:
    from zypher.operations.dead import dead_letter

    letter = await dead_letter(operations, prediction_id)
    if letter is None:
        return _no_dead_letter(prediction_id)
    if as_json:
        print_json(_record(letter))
    else:
        record = {name: str(value) for name, value in _record(letter).items()}
        width = max(map(len, record))
        print(printable("\n".join(f"{name:<{width}}  {value}" for name, value in record.items())))
    return DONE


async def _do(operations: "Overseen", deed: str, ids: Sequence[str], *, as_json: bool) -> int:
    from zypher.operations.dead import dead_letters

    act = operations.replay if deed == "replay" else operations.purge
    chosen = list(ids) or [letter.prediction_id for letter in await dead_letters(operations)]
    done = [prediction_id for prediction_id in chosen if await act(prediction_id)]
    if ids and not done:
        return _no_dead_letter(ids[0])
    if as_json:
        print_json(done)
    else:
        print(f"{len(done)} {'prediction' if len(done) == 1 else 'predictions'} {_DEEDS[deed]}.")
    return DONE


def page(letters: "Sequence[Prediction]") -> str:
    """The list for people."""
    if not letters:
        return "There are no dead letters."
    heading = ("PREDICTION", "MODEL", "DIED", "ATTEMPTS", "REASON")
    return table(heading, [_row(letter) for letter in letters])


def _row(letter: "Prediction") -> tuple[str, ...]:
    return (letter.prediction_id, letter.model, _instant(letter.finished_at), str(letter.attempt), _reason(letter))


def _record(letter: "Prediction") -> dict[str, object]:
    return {
        "prediction_id": letter.prediction_id,
        "model": letter.model,
        "submitted_at": _instant(letter.submitted_at),
        "died_at": _instant(letter.finished_at),
        "attempts": letter.attempt,
        "reason": _reason(letter),
    }


def _reason(letter: "Prediction") -> str:
    failure = None if letter.outcome is None else letter.outcome.failure
    return "" if failure is None else failure.message.removeprefix("worker_lost: ")


def _instant(instant: "datetime | None") -> str:
    return "" if instant is None else instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _no_dead_letter(prediction_id: str) -> int:
    complain(f"{prediction_id} is no dead letter; `zypher queue dead` lists them.")
    return FAILED
