"""ZypherAI as an ASGI application, for any server and within any other application."""

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from zypher import assembly
from zypher.errors import SettingsError, StartError
from zypher.http.app import Application, send_response
from zypher.http.request import Receive, Scope, Send
from zypher.http.response import error_response
from zypher.service.lifecycle import Process
from zypher.settings import SETTINGS, Settings, resolve_keywords

_FILE = Path("zypher.toml")
_OF_THE_SERVER = frozenset({
    "host", "port", "uds", "ssl_certfile", "ssl_keyfile", "root_path", "forwarded_allow_ips", "keep_alive_timeout_s",
    "lame_duck_s", "health_port",
})  # fmt: skip
_ALLOWED = {setting.name for setting in SETTINGS} - _OF_THE_SERVER
_NOT_STARTED = error_response(
    503,
    "The prediction service was not started; give its lifespan to the application that it is mounted in: "
    "FastAPI(lifespan=z.lifespan).",
)
_DIED = error_response(503, "The prediction service has ended after an error, which is in the log; restart the server.")


class Mounted:
    """An ASGI application that lives as long as its lifespan: the server's, or that of the one it is mounted in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: Process | None = None
        self._app: Application | None = None

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncGenerator[None]:
        """Serve within the block: it begins once the model is loaded. Raises `StartError`.

        Afterwards what was accepted and has not ended waits for the next start.
        """
        parts = assembly.build(self._settings)
        assembly.warn_if_nothing_survives(self._settings.engine)
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(min(interval_s, assembly.THREAD_SWITCH_S))
        try:
            await parts.process.start()
            await parts.process.get_ready()
            self._process, self._app = parts.process, parts.app
            yield
            await parts.process.drain()
        finally:
            self._app = None
            await parts.process.stop()
            sys.setswitchinterval(interval_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is None and scope["type"] == "http":
            await send_response(_NOT_STARTED, send)
        elif self._process is not None and self._process.died.done() and scope["type"] == "http":
            await send_response(_DIED, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan protocol of a server, where nothing is around this application."""
        await receive()
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except StartError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})


def asgi(target: str | None = None, /, **settings: object) -> Mounted:
    """The service as an ASGI application: for any server, or mounted in another application.

        z = zypher.asgi("file.py:Model", data_dir="/var/lib/zypher")
        app = FastAPI(lifespan=z.lifespan)
        app.mount("/ml", z)

    The settings are those of `zypher serve` under the names that `zypher config` lists, without those of the server
    itself; what is not given comes from variables and zypher.toml. Only one process at a time may use a data folder.
    Raises `SettingsError`, a `ZypherError`.
    """
    for name in settings.keys() & _OF_THE_SERVER:
        raise SettingsError(f"{name} is for the server that runs the application; set it there.")
    values = settings if target is None else {**settings, "target": target}
    chosen = resolve_keywords(values, _ALLOWED, os.environ, _FILE)
    http = replace(
        chosen.http,
        # Who may call it, and from where, is decided by the application around this one, and how it ends, too.
        allowed_host=chosen.http.allowed_host or ("*",),
        expose_errors=bool(chosen.http.expose_errors),
        lame_duck_s=0.0,
    )
    return Mounted(replace(chosen, http=http))
