"""What is said over the socket: one ask and one answer on each connection, each a line of JSON."""

import msgspec

from zypher.errors import EngineUnavailable, QueueFull, Refused


class Depths(msgspec.Struct, frozen=True, tag="depths"):
    """Answered with a `Depth` for each model."""

    model: str | None  # None for all


class ListDead(msgspec.Struct, frozen=True, tag="dead"):
    """Answered with a list of `Prediction`."""

    model: str
    limit: int


class Get(msgspec.Struct, frozen=True, tag="get"):
    """Answered with a `Prediction` or null."""

    prediction_id: str


class Replay(msgspec.Struct, frozen=True, tag="replay"):
    """Answered with whether it was a dead letter."""

    prediction_id: str


class Purge(msgspec.Struct, frozen=True, tag="purge"):
    """Answered with whether it was a dead letter."""

    prediction_id: str


Ask = Depths | ListDead | Get | Replay | Purge


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The answer."""

    answer: msgspec.Raw


class NotNow(msgspec.Struct, frozen=True, tag="refused"):
    """The engine refused."""

    problem: str  # a sentence
    full: bool  # because the queue is


Reply = Done | NotNow

encode = msgspec.json.Encoder().encode
decode_ask = msgspec.json.Decoder(Ask).decode
decode_reply = msgspec.json.Decoder(Reply).decode


def refusal(refused: Refused) -> NotNow:
    """An error as it crosses the socket."""
    return NotNow(str(refused), isinstance(refused, QueueFull))


def error(reply: NotNow) -> Refused:
    """The error that crossed the socket."""
    return QueueFull(reply.problem) if reply.full else EngineUnavailable(reply.problem)
