"""How an attempt ended, as a message."""

from zypher.errors import InvalidInput, OutputError
from zypher.models.user_error import headline, user_traceback
from zypher.prediction import FailureKind
from zypher.worker.protocol import Failed, Run, Succeeded


def returned(run: Run, output: bytes, run_s: float, most_bytes: int) -> Succeeded | Failed:
    """The attempt returned this output, in JSON."""
    if len(output) <= most_bytes:
        return Succeeded(run.number, output, run_s)
    message = (
        f"The output has {len(output)} bytes and may have {most_bytes} (--max-output-bytes); return less, "
        "or where it can be found."
    )
    return Failed(run.number, FailureKind.INVALID_OUTPUT, message, "", run_s)


def raised(run: Run, error: BaseException, run_s: float) -> Failed:
    """The attempt raised this exception."""
    try:
        return _described(run, error, run_s)
    except BaseException:  # an exception of the model may itself raise when it is read
        return Failed(run.number, FailureKind.MODEL_ERROR, type(error).__name__, "", run_s)


def _described(run: Run, error: BaseException, run_s: float) -> Failed:
    if isinstance(error, InvalidInput):
        return Failed(run.number, FailureKind.INVALID_INPUT, str(error), "", run_s)
    if isinstance(error, OutputError):
        return Failed(run.number, FailureKind.INVALID_OUTPUT, str(error), "", run_s)
    return Failed(run.number, FailureKind.MODEL_ERROR, headline(error), user_traceback(error), run_s)
