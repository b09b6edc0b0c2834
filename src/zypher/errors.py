"""The server's errors, by who can fix what caused them.

    ZypherError
    ├── StartError              can be fixed by the one who started the command; exit code 2
    │   ├── SettingsError       a flag, variable or file has a value that is not allowed
    │   ├── TargetError         the model cannot be found, imported, set up or called
    │   ├── ListenError         the address cannot be listened on
    │   └── EngineError         the engine's data cannot be used as it is
    ├── RequestError            can be fixed by the sender of the request, with another one
    │   ├── MalformedBody       the body is not JSON, or has a field twice
    │   ├── InvalidInput        the input does not fit the model's input type
    │   ├── IdempotencyKeyReused  the key was already used with another input
    │   ├── PredictionNotFound  no such id, or its retention is over
    │   ├── AlreadyEnded        the prediction cannot be cancelled any more
    │   └── ModelInUse          the model cannot be forgotten: it is served, or predictions wait for it
    ├── Unavailable             can be fixed by the sender of the request, later
    │   ├── QueueFull           as many predictions wait as may
    │   ├── Draining            the server is stopping
    │   ├── NoReplica           no process can run the model now
    │   ├── TooMuchInFlight     requests and answers under way take up as many bytes as they may
    │   ├── NotChecked          the process that checks large inputs has died
    │   └── EngineUnavailable   the engine cannot accept now: disk full, connection lost
    │       └── DataFull        predictions and results take up as many bytes as they may
    └── OutputError             the model's author: the output is not JSON
    PredictionStopped           no error: it ends what a model runs, and goes through its `except Exception`

Each message is one sentence that says what happened and what to do.
No error here has an HTTP status or an exit code: `http.errors` and `cli` translate.
"""


class ZypherError(Exception):
    """The root of the server's errors."""


class StartError(ZypherError):
    """The command cannot start."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details  # more lines for a terminal, such as the user's own traceback
        if details:
            self.add_note(details)  # shown where it is raised in a script or a test


class SettingsError(StartError):
    """A flag, an environment variable or a line of zypher.toml has a value that is not allowed."""


class TargetError(StartError):
    """The model that the command names cannot be served."""


class ListenError(StartError):
    """The server cannot listen on the address."""


class EngineError(StartError):
    """The engine's data cannot be used as it is: locked, corrupt, of a newer version."""


class RequestError(ZypherError):
    """The request itself is at fault."""


class MalformedBody(RequestError):
    """The body is not JSON, or one of its fields comes twice."""


class InvalidInput(RequestError):
    """The input does not fit the model's input type. The message begins with the path, as `$.input`."""


class IdempotencyKeyReused(RequestError):
    """The idempotency key was already used with another input."""


class PredictionNotFound(RequestError):
    """No prediction has this id, or its retention is over."""

    def __init__(self) -> None:
        super().__init__("Prediction ID not found.")


class AlreadyEnded(RequestError):
    """The prediction has ended, so nothing is left to cancel."""

    def __init__(self) -> None:
        super().__init__("Prediction has already ended.")


class ModelInUse(RequestError):
    """Workers announce the model, or predictions wait for it: it cannot be forgotten now."""


class Unavailable(ZypherError):
    """The prediction was not accepted; the same request may be accepted later.

    The message may hold an address, a path or an exception's text, for the log and for operators; `public` holds
    none of these, for anybody.
    """

    def __init__(self, message: str, retry_after_s: int = 1, *, public: str = "") -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.public = public or self.public_sentence or message

    public_sentence = ""  # of a class whose messages may hold what is not for anybody


class QueueFull(Unavailable):
    """As many predictions wait as may."""


class Draining(Unavailable):
    """The server is stopping and takes no new work."""


class NoReplica(Unavailable):
    """No replica can run the model now."""


class TooMuchInFlight(Unavailable):
    """Requests and answers under way take up as many bytes as they may."""


class NotChecked(Unavailable):
    """The input could not be checked."""


class EngineUnavailable(Unavailable):
    """The engine cannot accept or answer now."""

    public_sentence = "The service cannot store or find predictions now; try again later."


class DataFull(EngineUnavailable):
    """What is kept takes up as many bytes as it may."""

    public_sentence = ""

    def __init__(self, message: str, retry_after_s: int = 10) -> None:
        super().__init__(message, retry_after_s)


class OutputError(ZypherError):
    """The model returned something that is not JSON. The message names the type."""


class PredictionStopped(BaseException):
    """The prediction that this thread runs is to end: it was cancelled, or is over its time."""
