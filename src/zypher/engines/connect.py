"""From settings to an engine: the only file that names one."""

from importlib.util import find_spec

from msgspec.structs import replace

from zypher.clock import Clock
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.engine import Engine
from zypher.errors import SettingsError
from zypher.settings import EngineSettings

_EMBEDDED = "embedded"  # the engine that lives in one process; every other one is shared by many
_MIB = 1024 * 1024
_REDIS = ("redis", "rediss", "unix")


def connect(settings: EngineSettings, clock: Clock) -> Engine:
    """The engine that the settings ask for, not open yet. Raises `SettingsError`."""
    if settings.engine == _EMBEDDED:
        return EmbeddedEngine(
            settings.data_dir,
            clock,
            queue_limit=settings.queue_limit,
            retention_s=settings.retention_s,
            lease_s=settings.lease_s,
            limit_bytes=None if settings.max_data_mb is None else settings.max_data_mb * _MIB,
        )
    scheme, slashes, _ = settings.engine.partition("://")
    if slashes and scheme in _REDIS:
        return _connect_redis(settings, clock)
    # What is no plain word may hold a password.
    which = f"No engine is called {scheme[:100]!r}" if scheme.isalnum() else "The engine's URL is wrong"
    raise SettingsError(f"{which}; it must be {_EMBEDDED}, or a URL that begins with redis://, rediss:// or unix://.")


def is_shared(settings: EngineSettings) -> bool:
    """Whether many processes can meet in the engine that the settings ask for."""
    return settings.engine != _EMBEDDED


def _connect_redis(settings: EngineSettings, clock: Clock) -> Engine:
    if find_spec("redis") is None:
        raise SettingsError("The Redis engine is not installed; install it with: pip install 'zypherai[redis]'")
    from zypher.engines.redis_streams.connection.address import Address
    from zypher.engines.redis_streams.engine import RedisStreamsEngine
    from zypher.engines.redis_streams.limits import Limits

    limits = Limits(settings.queue_limit, settings.retention_s, settings.lease_s)
    if settings.max_data_mb is not None:
        limits = replace(limits, most_bytes=settings.max_data_mb * _MIB)
    return RedisStreamsEngine(Address.parse(settings.engine), limits, clock)
