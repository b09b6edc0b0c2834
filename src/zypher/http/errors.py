"""Errors and failures as responses: the only file with their status codes."""

import logging

from zypher.errors import (
    AlreadyEnded,
    IdempotencyKeyReused,
    InvalidInput,
    MalformedBody,
    ModelInUse,
    PredictionNotFound,
    RequestError,
    Unavailable,
)
from zypher.http.response import Header, Response, error_body, error_response
from zypher.prediction import FailureKind, Prediction
from zypher.record import error_of

logger = logging.getLogger(__name__)

_INTERNAL = "Internal error; it is in the server's log. Send the request again, and report it if it happens again."

_STATUS_OF: dict[type[RequestError], int] = {
    MalformedBody: 400,
    PredictionNotFound: 404,
    AlreadyEnded: 409,
    ModelInUse: 409,
    InvalidInput: 422,
    IdempotencyKeyReused: 422,
}


class HttpError(Exception):
    """A request that is rejected because of its HTTP; the message is the sentence for its sender."""

    def __init__(self, status: int, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def response_to(error: Exception, *, exposes: bool) -> Response:
    """The response to a request that raised this; `exposes` addresses, paths and exceptions. Logs unexpected errors."""
    match error:
        case HttpError():
            return error_response(error.status, str(error), *error.headers)
        case RequestError():
            return error_response(_STATUS_OF[type(error)], str(error))
        case Unavailable():
            sentence = str(error) if exposes else error.public
            return error_response(503, sentence, (b"retry-after", b"%d" % error.retry_after_s))
        case _:
            logger.error("unexpected error in a request", exc_info=error)
            return error_response(500, _INTERNAL)


def response_without_output(prediction: Prediction, *headers: Header) -> Response:
    """The response for a prediction that ended without an output."""
    failure = prediction.outcome.failure if prediction.outcome else None
    if failure is None:
        return error_response(410, error_of(prediction), *headers)
    if failure.kind is FailureKind.INVALID_INPUT:
        return error_response(422, error_of(prediction), *headers)
    status = 504 if failure.kind is FailureKind.TIMED_OUT else 500
    return Response(status, error_body(error_of(prediction), prediction_id=prediction.prediction_id), headers)
