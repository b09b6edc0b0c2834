"""A service on many machines, all of them this one: a Redis, servers without a worker, workers."""

import contextlib
import shutil
from collections.abc import Generator, Mapping

from bench.processes import Server, ServerError, run_program, run_server

_PROGRAMS = ("redis-server", "valkey-server")


@contextlib.contextmanager
def redis(*, pinned: bool = True) -> Generator[Server]:
    """A Redis of our own: every write is appended to its file, which is fsynced every second and never rewritten."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        raise ServerError("There is no redis-server on this machine; install it: apt-get install redis-server")
    lasting = ("--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")
    with run_program(program, "--port", "{port}", "--bind", "127.0.0.1", *lasting, pinned=pinned) as server:
        server.wait_for_words("Ready to accept connections")
        yield server


def url(redis: Server) -> str:
    """The engine's."""
    return f"redis://127.0.0.1:{redis.port}/0"


@contextlib.contextmanager
def worker(
    engine: str, target: str, *arguments: str, pinned: bool = True, environment: Mapping[str, str] | None = None
) -> Generator[Server]:
    """`zypher worker` that has loaded its model."""
    command = ("zypher", "worker", target, "--engine", engine)
    with run_server(*command, *arguments, pinned=pinned, environment=environment) as server:
        server.wait_for_words("replica ready")
        yield server


@contextlib.contextmanager
def front(
    engine: str, *arguments: str, pinned: bool = True, environment: Mapping[str, str] | None = None
) -> Generator[Server]:
    """`zypher serve --no-worker`, ready: a worker is there."""
    command = ("serve", "--no-worker", "--port", "{port}", "--engine", engine)
    with run_server("zypher", *command, *arguments, pinned=pinned, environment=environment) as server:
        server.wait_for("GET", "/healthz/ready")
        yield server
