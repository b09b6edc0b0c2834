"""From settings to an engine: the only file that names one."""

from zypher.clock import Clock
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.engine import Engine
from zypher.settings import EngineSettings


def connect(settings: EngineSettings, clock: Clock) -> Engine:
    """The engine that the settings ask for, not open yet."""
    return EmbeddedEngine(
        settings.data_dir,
        clock,
        queue_limit=settings.queue_limit,
        retention_s=settings.retention_s,
        lease_s=settings.lease_s,
    )
