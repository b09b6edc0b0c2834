"""Requests to a server, and how its responses are read. Pure: nothing here uses a network.

ClientError
├── InvalidUrl            the URL cannot be a server's
├── Unreachable           no connection to a server, or it was lost
├── UnexpectedResponse      the response is not one of a ZypherAI server, or a 500
├── Rejected              the request is wrong
├── Unavailable           the server accepts nothing now; try the same request later
├── PredictionNotFound    no such id, or its retention is over
└── PredictionEnded       it will have no output: failed, cancelled or expired
"""

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import msgspec

_STILL_PROCESSED = "Prediction is still being processed."
_NOT_FOUND = "Prediction ID not found."
_NOT_OURS = "The response with status {} is not from a ZypherAI server; check the URL."

T = TypeVar("T")


class Request(msgspec.Struct, frozen=True):
    """One HTTP request."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Response(msgspec.Struct, frozen=True):
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]  # keys in lower case
    body: bytes


class Pending(msgspec.Struct, frozen=True):
    """Accepted, not ended."""

    prediction_id: str
    position: int  # place in its queue, 1 runs next; 0 when it runs
    retry_after_s: int  # the server's estimate of when to ask again

    @property
    def location(self) -> str:
        """The path that answers with the output."""
        return _location(self.prediction_id)


class Succeeded(msgspec.Struct, frozen=True):
    """Ended with an output."""

    prediction_id: str
    output: msgspec.Raw  # JSON

    @property
    def value(self) -> object:
        """The output as Python's own types."""
        return msgspec.json.decode(self.output)


class ClientError(Exception):
    """The root of what a client raises. The message is one sentence."""


class InvalidUrl(ClientError):
    """The URL is not one of a server."""


class Unreachable(ClientError):
    """No server answers, or it broke off before its answer was whole."""


class UnexpectedResponse(ClientError):
    """The answer is not one that a ZypherAI server should give."""


class Rejected(ClientError):
    """The request is at fault."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unavailable(ClientError):
    """The server takes no work now."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PredictionNotFound(ClientError):
    """The server has no prediction with this id."""


class PredictionEnded(ClientError):
    """The prediction ended without an output."""

    def __init__(self, message: str, prediction_id: str, status: str) -> None:
        super().__init__(message)
        self.prediction_id = prediction_id
        self.status = status  # failed, cancelled or expired


def predict(input: object) -> Request:
    """Ask for a prediction and wait for its end."""
    return Request("POST", "/predict", {"Content-Type": "application/json"}, msgspec.json.encode({"input": input}))


def submit(input: object) -> Request:
    """Ask for a prediction and do not wait. `input` is what msgspec encodes; `msgspec.Raw` is JSON already."""
    waited_for = predict(input)
    return msgspec.structs.replace(waited_for, headers={**waited_for.headers, "Async-Mode": "true"})


def get(prediction_id: str, wait_s: int) -> Request:
    """Ask how a prediction stands, letting the server wait for its end."""
    return Request("GET", _location(prediction_id) + (f"?wait={wait_s}" if wait_s else ""))


def cancel(prediction_id: str) -> Request:
    """Ask for the end of a prediction."""
    return Request("DELETE", _location(prediction_id))


def describe() -> Request:
    """Ask for the description of the service."""
    return Request("GET", "/openapi.json")


def read_takes_bytes(response: Response) -> bool:
    """Whether a description says that the input is bytes. Raises `ClientError`."""
    schema = _decode(response, _Description).paths.predict.post.body.content.json.schema.properties.input
    options = [schema, *(schema.options or ())]
    return any(option.encoding == "base64" for option in options)


class _Input(msgspec.Struct, frozen=True):
    encoding: str | None = msgspec.field(name="contentEncoding", default=None)
    options: "list[_Input] | None" = msgspec.field(name="anyOf", default=None)


class _Properties(msgspec.Struct, frozen=True):
    input: _Input


class _Schema(msgspec.Struct, frozen=True):
    properties: _Properties


class _Media(msgspec.Struct, frozen=True):
    schema: _Schema


class _Content(msgspec.Struct, frozen=True):
    json: _Media = msgspec.field(name="application/json")


class _Body(msgspec.Struct, frozen=True):
    content: _Content


class _Operation(msgspec.Struct, frozen=True):
    body: _Body = msgspec.field(name="requestBody")


class _Path(msgspec.Struct, frozen=True):
    post: _Operation


class _Paths(msgspec.Struct, frozen=True):
    predict: _Path = msgspec.field(name="/predict")


class _Description(msgspec.Struct, frozen=True):
    """As much of an OpenAPI document as is read here."""

    paths: _Paths


def read_predict(response: Response) -> Pending | Succeeded:
    """What an answer to `predict` means: the server may stop waiting before the end. Raises `ClientError`."""
    if response.status == 200:
        return Succeeded(_prediction_id(response), msgspec.Raw(response.body))
    return read_submit(response)


def read_submit(response: Response) -> Pending:
    """What an answer to `submit` means. Raises `ClientError`."""
    if response.status == 202:
        return _pending(response)
    raise _error(response)


def read_get(response: Response) -> Pending | Succeeded:
    """What an answer to `get` means. Raises `ClientError`."""
    if response.status == 200:
        return _decode(response, Succeeded)
    if response.status == 400 and _decode(response, _ErrorBody).error == _STILL_PROCESSED:
        return _pending(response)
    raise _error(response)


def read_cancel(response: Response) -> bool:
    """Whether an answer to `cancel` says that the prediction has ended. Raises `ClientError`."""
    if response.status in {200, 202}:
        return response.status == 200
    if response.status == 409:
        raise PredictionEnded(_decode(response, _ErrorBody).error, "", "ended")
    raise _error(response)


class _ErrorBody(msgspec.Struct, frozen=True):
    error: str
    prediction_id: str | None = None


def _error(response: Response) -> ClientError:
    problem = _decode(response, _ErrorBody)
    match response.status:
        case 404 if problem.error == _NOT_FOUND:
            return PredictionNotFound(problem.error)
        case 410:
            status = "expired" if "expired" in problem.error else "cancelled"
            return PredictionEnded(problem.error, _prediction_id(response), status)
        case 500 | 504 if problem.prediction_id is not None:
            return PredictionEnded(problem.error, problem.prediction_id, "failed")
        case 503:
            return Unavailable(problem.error, _whole(response, "retry-after", 1))
        case status if 400 <= status < 500:
            return Rejected(problem.error, status)
        case status:
            return UnexpectedResponse(f"The server answered {status}: {problem.error}")


def _pending(response: Response) -> Pending:
    return Pending(_prediction_id(response), _whole(response, "queue-position", 0), _whole(response, "retry-after", 1))


def _prediction_id(response: Response) -> str:
    prediction_id = response.headers.get("prediction-id")
    if prediction_id is None:
        raise UnexpectedResponse(_NOT_OURS.format(response.status))
    return prediction_id


def _whole(response: Response, header: str, default: int) -> int:
    text = response.headers.get(header, "")
    return int(text) if text.isdecimal() else default


def _decode(response: Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise UnexpectedResponse(_NOT_OURS.format(response.status)) from None


def _location(prediction_id: str) -> str:
    return "/predict/" + quote(prediction_id, safe="")
