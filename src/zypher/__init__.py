"""ZypherAI serves any Python model over HTTP, synchronously and asynchronously."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zypher.mounted import Mounted

__all__ = ["asgi"]
__version__ = "0.1.0"


def asgi(target: str | None = None, /, **settings: object) -> "Mounted":
    """The service as an ASGI application: for any server, or mounted in another application.

        z = zypher.asgi("file.py:Model", data_dir="/var/lib/zypher")
        app = FastAPI(lifespan=z.lifespan)
        app.mount("/ml", z)

    The settings are those of `zypher serve` under the names that `zypher config` lists, without those of the server
    itself; what is not given comes from variables and zypher.toml. Only one process at a time may use a data folder.
    Raises `SettingsError`, a `ZypherError`.
    """
    from zypher.mounted import mounted  # noqa: PLC0415  # only who calls it needs a server

    return mounted(target, settings)
