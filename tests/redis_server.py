"""A Redis of our own: a process on a free port that works in a temporary folder."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import redis

from tests.missing import missing
from tests.polling import wait_until
from tests.redis_client import RedisClient, redis_client

_STOP_S = 10.0


def redis_program() -> str | None:
    """The path of redis-server, installed first if this machine lets us; ZYPHER_TEST_REDIS names another."""
    found = os.environ.get("ZYPHER_TEST_REDIS") or shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "install", "--yes", "--no-install-recommends", "redis-server"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        subprocess.run(command, env=environment, capture_output=True, check=False)
        found = shutil.which("redis-server")
    return found


def no_redis() -> NoReturn:
    """End the test."""
    missing("There is no redis-server on this machine; install it, for example with: apt-get install redis-server")


class RedisServer:
    """Runs from `start` to `stop`; `kill` and `start` are a crash and what follows it."""

    def __init__(self, folder: Path, *options: str, password: str = "", port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        required = ("--requirepass", password) if password else ()
        self._options = (*required, *options)

    def __enter__(self) -> "RedisServer":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, *options: str) -> None:
        """Ready to answer when this returns."""
        self.launch(*options)
        wait_until(self._answers)

    def launch(self, *options: str) -> None:
        """Begin to start."""
        self._folder.mkdir(parents=True, exist_ok=True)
        where = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder))
        lasting = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")
        command = [redis_program() or no_redis(), *where, *lasting, *self._options, *options]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_S)
            self._process = None

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)
            self._process = None

    @contextmanager
    def frozen(self) -> Generator[None]:
        """As long as this lasts it is there but does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def client(self) -> RedisClient:
        """A client for a test that looks at what is kept, or changes it; close it."""
        return redis_client(self.url)

    def clients(self) -> list[RedisClient]:
        """The same, as of a cluster of one."""
        return [self.client()]

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return client.ping()
        except redis.ConnectionError:
            return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
