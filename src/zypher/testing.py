"""A server in a test.

Such as:

    def test_detector():
        with zypher.testing.serve("detector.py:Detector") as client:
            assert client.predict("a good day") == 1
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import uvloop

from zypher import assembly
from zypher.client.client import Client
from zypher.models.loader import target_of
from zypher.settings import SETTINGS, Settings, resolve_keywords

_ALLOWED = {setting.name for setting in SETTINGS} - {"health_port"}


@contextmanager
def serve(model: Callable[..., object] | str, /, **settings: object) -> Generator[Client]:
    """A client of a server for this model, which runs in this process on a free port while the block lasts.

    `model` is a target such as "detector.py:Detector", or the function or class itself. The data folder is a temporary
    one; variables and zypher.toml are ignored, the settings are those given here. What still runs at the end is not
    waited for. Raises `ZypherError` when the model cannot be served.
    """
    with TemporaryDirectory(prefix="zypher-") as folder:
        defaults: dict[str, object] = {"data_dir": folder, "port": 0, "drain_timeout_s": 0, "access_log": False}
        values = {**defaults, **settings, "target": target_of(model)}
        server = _Server(resolve_keywords(values, _ALLOWED, {}, None))
        try:
            with Client(server.url()) as client:
                yield client
        finally:
            server.stop()


class _Server:
    """A server in a thread of its own, with an event loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started: Future[tuple[str, asyncio.AbstractEventLoop]] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="zypher-testing", daemon=True)
        self._thread.start()

    def url(self) -> str:
        """Where it listens, once the model is loaded. Raises `StartError`."""
        return self._started.result()[0]

    def stop(self) -> None:
        """Stop it, and wait for its end."""
        if self._started.exception() is None:
            self._started.result()[1].call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            uvloop.run(self._serve())
        except BaseException as error:  # raised by `url`
            if not self._started.done():
                self._started.set_exception(error)
                return
            raise

    async def _serve(self) -> None:
        process = assembly.http_process(self._settings)
        try:
            await process.start()
            await process.get_ready()
            self._started.set_result((process.url, asyncio.get_running_loop()))
            await self._stop.wait()
            await process.drain()
        finally:
            await process.stop(at_once=True)
