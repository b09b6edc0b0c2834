"""How an attempt ended, as a message."""

from zypher.errors import InvalidInput, OutputError, TargetError
from zypher.models.user_error import headline, user_traceback
from zypher.prediction import FailureKind, StopReason
from zypher.text import encodable
from zypher.worker.protocol import Failed, LoadFailed, Run, Stopped, Succeeded

_LONGEST = 100_000  # characters of a message or a traceback


def returned(run: Run, output: bytes, run_s: float, most_bytes: int) -> Succeeded | Failed:
    """The attempt returned this output, in JSON."""
    if len(output) <= most_bytes:
        return Succeeded(run.number, output, run_s)
    message = (
        f"The output has {len(output)} bytes and may have {most_bytes} (--max-output-bytes); return less, "
        "or where it can be found."
    )
    return Failed(run.number, FailureKind.INVALID_OUTPUT, message, "", run_s)


def failed(run: Run, stopped: StopReason | None, error: BaseException, run_s: float) -> Failed | Stopped:
    """The attempt raised this exception; whatever it was, one that was to end is `stopped`."""
    if stopped is not None:
        return Stopped(run.number, begun=True, run_s=run_s)
    return raised(run, error, run_s)


def raised(run: Run, error: BaseException, run_s: float) -> Failed:
    """The attempt raised this exception."""
    try:
        return _described(run, error, run_s)
    except BaseException:  # an exception of the model may itself raise when it is read
        return Failed(run.number, FailureKind.MODEL_ERROR, _text(type(error).__name__), "", run_s)


def load_failed(error: TargetError) -> LoadFailed:
    """The model could not be loaded."""
    return LoadFailed(_text(str(error)), _text(error.details))


def _described(run: Run, error: BaseException, run_s: float) -> Failed:
    if isinstance(error, InvalidInput):
        return Failed(run.number, FailureKind.INVALID_INPUT, _text(str(error)), "", run_s)
    if isinstance(error, OutputError):
        return Failed(run.number, FailureKind.INVALID_OUTPUT, _text(str(error)), "", run_s)
    return Failed(run.number, FailureKind.MODEL_ERROR, _text(headline(error)), _text(user_traceback(error)), run_s)


def _text(text: str) -> str:
    """What can be sent of it: no half of a surrogate pair, and of a long one its two ends."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
    return encodable(text)
