"""From settings to an engine: the only file that names one."""

from importlib.util import find_spec

from msgspec.structs import replace

from zypher.clock import Clock
from zypher.engines.contract import Engine
from zypher.engines.embedded.disk.journal import DiskJournal
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.embedded.journal import Journal
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.errors import SettingsError
from zypher.settings import EngineSettings

_EMBEDDED = "embedded"  # on disk, in one process
_MEMORY = "memory"  # the same without the disk
_MIB = 1024 * 1024
_REDIS = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")


def connect(settings: EngineSettings, clock: Clock) -> Engine:
    """The engine that the settings name, not open yet. Raises `SettingsError`."""
    if settings.redis_wait_replicas and not is_shared(settings):
        raise SettingsError(
            f"redis_wait_replicas is for an engine on Redis, and this one is {settings.engine}, which has no replicas; "
            "leave it out, or name a Redis with --engine."
        )
    limit_bytes = None if settings.max_data_mb is None else settings.max_data_mb * _MIB
    if settings.engine == _EMBEDDED:
        return _embedded(settings, clock, DiskJournal(settings.data_dir, clock, limit_bytes))
    if settings.engine == _MEMORY:
        if settings.require_durable_engine:
            raise SettingsError(
                "An engine in memory keeps nothing; name another one, or leave out --require-durable-engine."
            )
        return _embedded(settings, clock, MemoryJournal(clock, limit_bytes))
    scheme, slashes, _ = settings.engine.partition("://")
    if slashes and scheme in _REDIS:
        return _connect_redis(settings, clock, limit_bytes)
    # What is no plain word may hold a password.
    which = f"No engine is called {scheme[:100]!r}" if scheme.isalnum() else "The engine's URL is wrong"
    raise SettingsError(
        f"{which}; it must be {_EMBEDDED}, {_MEMORY}, or a URL that begins with redis://, rediss://, unix:// or redis+sentinel://."
    )


def is_shared(settings: EngineSettings) -> bool:
    """Whether many processes can meet in the engine that the settings name."""
    return settings.engine not in {_EMBEDDED, _MEMORY}


def has_folder(settings: EngineSettings) -> bool:
    """Whether the engine that the settings name uses the data folder."""
    return settings.engine == _EMBEDDED


def survives(settings: EngineSettings) -> bool:
    """Whether what the engine accepts survives the process."""
    return settings.engine != _MEMORY


def _embedded(settings: EngineSettings, clock: Clock, journal: Journal) -> Engine:
    return EmbeddedEngine(
        journal,
        clock,
        queue_limit=settings.queue_limit,
        retention_s=settings.retention_s,
        lease_s=settings.lease_s,
    )


def _connect_redis(settings: EngineSettings, clock: Clock, limit_bytes: int | None) -> Engine:
    if find_spec("redis") is None:
        raise SettingsError("The Redis engine is not installed; install it with: pip install 'zypherai[redis]'")
    from zypher.engines.redis_streams.connection.address import Address
    from zypher.engines.redis_streams.engine import RedisStreamsEngine
    from zypher.engines.redis_streams.limits import Limits

    limits = Limits(
        settings.queue_limit, settings.retention_s, settings.lease_s, wait_replicas=settings.redis_wait_replicas
    )
    if limit_bytes is not None:
        limits = replace(limits, most_bytes=limit_bytes)
    return RedisStreamsEngine(
        Address.parse(settings.engine), limits, clock, requires_durable=settings.require_durable_engine
    )
