"""The part of ASGI that this room speaks, as types."""

from collections.abc import Awaitable, Callable
from typing import Literal, NotRequired, TypedDict

from zypher.http.hangup import Hangup

Headers = list[tuple[bytes, bytes]]


class State(TypedDict):
    """What our own server lays into the scope of a request."""

    hangup: NotRequired[Hangup]


class Scope(TypedDict):
    """A request, but for its body."""

    type: Literal["http"]
    method: str
    path: str
    query_string: bytes
    headers: Headers  # names in lower case
    state: NotRequired[State]


class Received(TypedDict):
    """A piece of the body, or the notice that the client has gone."""

    type: Literal["http.request", "http.disconnect"]
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


class Start(TypedDict):
    """The status and headers of a response."""

    type: Literal["http.response.start"]
    status: int
    headers: Headers


class Body(TypedDict):
    """The whole body of a response."""

    type: Literal["http.response.body"]
    body: bytes


Receive = Callable[[], Awaitable[Received]]
Send = Callable[[Start | Body], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
