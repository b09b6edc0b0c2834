"""The servers that are measured, each ready to answer."""

import contextlib
from collections.abc import Generator, Mapping

from bench.processes import ROOT, Server, run_server

NOOP = f"{ROOT}/bench/models/noop.py:Noop"
BULK = f"{ROOT}/bench/models/bulk.py:Bulk"
GATED = f"{ROOT}/bench/models/gated.py:Gated"
MOCK = "zypher.models.mock:mock_model_predict"

INPUT = b'{"input": "Sample input data for the model"}'
OUTPUT = b'{"input":"Sample input data for the model","result":"1234"}'  # of every no-op model

_FLASK_THREADS = 4


@contextlib.contextmanager
def zypher(target: str, *arguments: str, pinned: bool = True) -> Generator[Server]:
    """`zypher serve` with one replica and everything else as it is by default."""
    with run_server("zypher", "serve", target, "--port", "{port}", *arguments, pinned=pinned) as server:
        server.wait_for("GET", "/healthz/ready")
        yield server


@contextlib.contextmanager
def fastapi() -> Generator[Server]:
    with uvicorn("bench.peers.fastapi_inline:app") as server:
        server.wait_for("POST", "/predict", INPUT)
        yield server


@contextlib.contextmanager
def raw_asgi(http: str = "httptools") -> Generator[Server]:
    """Only sends the body back, with one of uvicorn's parsers."""
    with uvicorn("bench.peers.raw_asgi:app", http=http) as server:
        server.wait_for("POST", "/predict", INPUT)
        yield server


@contextlib.contextmanager
def flask() -> Generator[Server]:
    """The peer in gunicorn, with one worker process, since what waits and what has ended is in that process."""
    with run_server(
        *("gunicorn", "bench.peers.flask_queue:app", "--pythonpath", str(ROOT), "--bind", "127.0.0.1:{port}"),
        *("--workers", "1", "--worker-class", "gthread", "--threads", str(_FLASK_THREADS), "--keep-alive", "75"),
    ) as server:
        server.wait_for("GET", "/healthz/ready")
        yield server


def uvicorn(
    app: str, environment: Mapping[str, str] | None = None, http: str = "httptools"
) -> contextlib.AbstractContextManager[Server]:
    """An ASGI application of bench/peers in uvicorn at its fastest; not ready yet."""
    return run_server(
        *("uvicorn", app, "--app-dir", str(ROOT), "--host", "127.0.0.1", "--port", "{port}"),
        *("--loop", "uvloop", "--http", http, "--no-access-log"),
        environment=environment,
    )
