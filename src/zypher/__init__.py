"""ZypherAI serves any Python model over HTTP, synchronously and asynchronously.

Public are the names in `__all__`, the command `zypher` with its settings, and the HTTP API. Any other module may change
without notice.

    serve            serves a model from a script
    asgi             the service as an ASGI application
    testing.serve    a server in a test
    Client           asks a server for predictions; its errors are `ClientError` and those below it
    InvalidInput     raised by a model: the caller's fault, answered with 422
    cancelled        whether the prediction that runs is to end; `prediction_id` and `attempt` are the same of it
    PredictionStopped  raised in a model whose prediction is to end
    ZypherError      the root of what `serve`, `asgi` and `testing.serve` raise
"""

from importlib import import_module
from typing import TYPE_CHECKING

from zypher.errors import InvalidInput, PredictionStopped, ZypherError

if TYPE_CHECKING:
    from zypher import testing
    from zypher.client.client import Client
    from zypher.client.protocol import (
        ClientError,
        PredictionEnded,
        PredictionNotFound,
        Rejected,
        Unavailable,
        Unreachable,
    )
    from zypher.context import attempt, cancelled, prediction_id
    from zypher.mounted import asgi
    from zypher.script import serve

__all__ = [
    "Client",
    "ClientError",
    "InvalidInput",
    "PredictionEnded",
    "PredictionNotFound",
    "PredictionStopped",
    "Rejected",
    "Unavailable",
    "Unreachable",
    "ZypherError",
    "asgi",
    "attempt",
    "cancelled",
    "prediction_id",
    "serve",
    "testing",
]
__version__ = "0.1.0"

# Imported when they are used: a model's process needs neither server nor client.
_WHERE = {
    "Client": "zypher.client.client",
    "asgi": "zypher.mounted",
    "attempt": "zypher.context",
    "cancelled": "zypher.context",
    "prediction_id": "zypher.context",
    "serve": "zypher.script",
    "ClientError": "zypher.client.protocol",
    "PredictionEnded": "zypher.client.protocol",
    "PredictionNotFound": "zypher.client.protocol",
    "Rejected": "zypher.client.protocol",
    "Unavailable": "zypher.client.protocol",
    "Unreachable": "zypher.client.protocol",
}


def __getattr__(name: str) -> object:
    if name == "testing":
        return import_module("zypher.testing")
    if name not in _WHERE:
        raise AttributeError(f"module 'zypher' has no attribute {name!r}; the public ones are {', '.join(__all__)}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
