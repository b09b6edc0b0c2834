"""A synchronous client over one connection pool."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import httpx

from zypher.client import protocol
from zypher.client.protocol import InvalidUrl, Pending, Request, Response, Succeeded, Unreachable

DEFAULT_URL = "http://localhost:8080"

_CONNECT_TIMEOUT_S = 5.0
_POLL_S = 20  # how long the server may hold one question
_LAST_PORT = 65_535
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

T = TypeVar("T")


class Client:
    """Asks one server for predictions. Safe to share between threads; close it, or use it in a `with`.

    Every method raises `ClientError`; `InvalidUrl` only the constructor.
    """

    def __init__(self, url: str = DEFAULT_URL, *, response_timeout_s: float = 30.0) -> None:
        """`response_timeout_s` is the timeout of a response, in addition to the wait that is asked for."""
        self.url = url.rstrip("/")
        self._response_timeout_s = response_timeout_s
        base = _checked(self.url)
        # A proxy for the outside has no business between two processes of this machine.
        self._http = httpx.Client(base_url=base, trust_env=base.host not in _LOOPBACK)

    def predict(self, input: object) -> object:
        """The output for `input`, however long it takes. Costs the server no disk write."""
        state = self._call(protocol.predict(input), protocol.read_predict, None)
        while isinstance(state, Pending):
            state = self.get(state.prediction_id, _POLL_S)
        return state.value

    def submit(self, input: object) -> Pending:
        """Have a prediction accepted: from then on it survives a crash of the server."""
        return self._call(protocol.submit(input), protocol.read_submit, self._response_timeout_s)

    def get(self, prediction_id: str, wait_s: int = 0) -> Pending | Succeeded:
        """How a prediction stands, waiting up to `wait_s` seconds for its end."""
        silence_s = wait_s + self._response_timeout_s
        return self._call(protocol.get(prediction_id, wait_s), protocol.read_get, silence_s)

    def cancel(self, prediction_id: str) -> bool:
        """End a prediction that waits, or have one that runs stopped: whether it has ended.

        Raises `PredictionEnded` when it had ended before.
        """
        return self._call(protocol.cancel(prediction_id), protocol.read_cancel, self._response_timeout_s)

    def takes_bytes(self) -> bool:
        """Whether the model's input is bytes, which are base64 in JSON. False while no replica has loaded it."""
        return self._call(protocol.describe(), protocol.read_takes_bytes, self._response_timeout_s)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, request: Request, read: Callable[[Response], T], silence_s: float | None) -> T:
        timeout = httpx.Timeout(self._response_timeout_s, connect=_CONNECT_TIMEOUT_S, read=silence_s)
        try:
            response = self._http.request(
                request.method, request.path, headers=request.headers, content=request.body, timeout=timeout
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise Unreachable(f"No server answers at {self.url}; start one with `zypher serve`.") from None
        except httpx.HTTPError as error:
            raise Unreachable(f"The server at {self.url} closed the connection or is too slow ({error!r}).") from None
        return read(Response(response.status_code, response.headers, response.content))


def _checked(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        name = parsed.host.encode("idna")
    except (httpx.InvalidURL, UnicodeError):  # the latter of a name that no resolver takes
        parsed, name = httpx.URL(), b""
    if parsed.scheme not in ("http", "https") or not name or (parsed.port or 0) > _LAST_PORT:
        raise InvalidUrl(f"{url!r} is no server's URL; write it as {DEFAULT_URL}.")
    return parsed
