"""Errors and failures as answers: the only file that knows which status they are."""

import logging

from zypher.errors import IdempotencyKeyReused, InvalidInput, MalformedBody, PredictionNotFound, Refused
from zypher.http.answer import Answer, Header, error_answer, error_body
from zypher.prediction import FailureKind, Prediction, Status

logger = logging.getLogger(__name__)

_INTERNAL = "Internal error; it is in the server's log. Send the request again, and report it if it happens again."


class Problem(Exception):
    """A request that http itself turns away; the message is the sentence for its sender."""

    def __init__(self, status: int, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def answer_to(error: Exception, *, exposes: bool) -> Answer:
    """What to answer when this was raised; `exposes` addresses, paths and exceptions. Logs what nobody foresaw."""
    match error:
        case Problem():
            return error_answer(error.status, str(error), *error.headers)
        case PredictionNotFound():
            return error_answer(404, str(error))
        case InvalidInput() | IdempotencyKeyReused():
            return error_answer(422, str(error))
        case MalformedBody():
            return error_answer(400, str(error))
        case Refused():
            sentence = str(error) if exposes else error.public
            return error_answer(503, sentence, (b"retry-after", b"%d" % error.retry_after_s))
        case _:
            logger.error("a request met an error that nobody foresaw", exc_info=error)
            return error_answer(500, _INTERNAL)


def answer_without_output(prediction: Prediction, *headers: Header) -> Answer:
    """What to answer for a prediction that ended without an output."""
    failure = prediction.outcome.failure if prediction.outcome else None
    if failure is None:
        ended = "expired before it could run" if prediction.status is Status.EXPIRED else "was cancelled"
        return error_answer(410, f"Prediction {ended}; send it again if you still want it.", *headers)
    if failure.kind is FailureKind.INVALID_INPUT:
        return error_answer(422, failure.message, *headers)
    body = error_body(f"Prediction failed: {failure.message}", prediction_id=prediction.prediction_id)
    return Answer(500, body, headers)
