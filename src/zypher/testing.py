"""A server in a test.

Such as:

    def test_detector():
        with zypher.testing.serve("detector.py:Detector") as client:
            assert client.predict("a good day") == 1
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory

import uvloop

from zypher import assembly
from zypher.client.client import Client
from zypher.errors import TargetError
from zypher.models.loader import is_loading, target_of
from zypher.service.http_process import HttpProcess
from zypher.settings import SETTINGS, Settings, replace_target, resolve_keywords

_NOT_HERE = frozenset({"target", "health_port", "uds", "ssl_certfile", "ssl_keyfile", "lame_duck_s"})
_ALLOWED = {setting.name for setting in SETTINGS} - _NOT_HERE


@contextmanager
def serve(model: Callable[..., object] | str, /, **settings: object) -> Generator[Client]:
    """A client of a server for this model, which runs in this process on a free port while the block lasts.

    `model` is a target such as "detector.py:Detector", or the function or class itself. It keeps
    predictions in memory, or in a folder if `engine="embedded"` or `data_dir` is given: a temporary one, unless it is
    named. Variables and zypher.toml are ignored, the settings are those given here. What still runs at the end is not
    waited for. Raises `ZypherError` when the model cannot be served.
    """
    if is_loading():
        raise TargetError("zypher.testing.serve runs where a model is imported: put it into a test, or a function.")
    target = target_of(model)
    defaults: dict[str, object] = {"port": 0, "drain_timeout_s": 0, "access_log": False}
    with _engine(settings) as engine:
        chosen = resolve_keywords({**defaults, **engine, **settings}, _ALLOWED, {}, None)
        server = _Server(replace_target(chosen, target, sys.path))
        try:
            with Client(server.url()) as client:
                yield client
        finally:
            server.stop()


@contextmanager
def _engine(settings: Mapping[str, object]) -> Generator[dict[str, object]]:
    """The settings of the engine where the test gives none."""
    if "data_dir" in settings:
        yield {}
    elif settings.get("engine") == "embedded":
        with TemporaryDirectory(prefix="zypher-") as folder:
            yield {"data_dir": folder}
    else:
        yield {"engine": "memory"}


class _Server:
    """A server in a thread of its own, with an event loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url: Future[str] = Future()
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="zypher-testing", daemon=True)
        self._thread.start()

    def url(self) -> str:
        """Where it listens, once the model is loaded. Raises `StartError`."""
        return self._url.result()

    def stop(self) -> None:
        """Stop it, also while it starts, and wait for its end."""
        with suppress(RuntimeError):  # it has ended already
            self._loop.result().call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            uvloop.run(self._serve())
        except BaseException as error:
            if self._url.done():
                raise
            self._url.set_exception(error)  # raised by `url`

    async def _serve(self) -> None:
        self._loop.set_result(asyncio.get_running_loop())
        process = assembly.http_process(self._settings)
        stopping = asyncio.create_task(self._stop.wait())
        starting = asyncio.create_task(self._start(process))
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
                await process.drain()
        finally:
            for task in (starting, stopping):
                task.cancel()
            await asyncio.gather(starting, stopping, return_exceptions=True)
            await process.stop()

    async def _start(self, process: HttpProcess) -> None:
        await process.start()
        await process.get_ready()
        self._url.set_result(process.url)
