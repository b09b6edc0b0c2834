"""The table of settings, in four sections: type, default, help text and bounds of each."""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, get_origin

import msgspec
from msgspec.structs import fields

from zypher.settings.setting import Rule, Setting, setting_of

_LONGEST_S = 315_360_000  # ten years; longer spans overflow dates
_SPAN_S = (0.05, _LONGEST_S)


class LogLevel(StrEnum):
    """The least important record that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a record is written."""

    AUTO = "auto"
    HUMAN = "human"
    JSON = "json"


class HttpSettings(msgspec.Struct, frozen=True):
    """Where the server listens, and its limits for clients."""

    host: Annotated[str, Rule("Address to listen on; 0.0.0.0 is every IPv4 address of this machine.")] = "127.0.0.1"
    port: Annotated[int, Rule("Port to listen on; 0 takes a free one.", 0, 65_535)] = 8080
    uds: Annotated[Path | None, Rule("Unix socket to listen on instead of a host and a port; unset, none.")] = None
    ssl_certfile: Annotated[Path | None, Rule("Certificate chain for HTTPS, in PEM; unset, HTTP.")] = None
    ssl_keyfile: Annotated[
        Path | None, Rule("Private key of the certificate, in PEM; unset, it is in the file of the certificate.")
    ] = None
    root_path: Annotated[
        str | None, Rule("Path prefix that a proxy takes away before it passes a request on; unset, none.")
    ] = None
    forwarded_allow_ips: Annotated[
        tuple[str, ...],
        Rule("Proxy, as an address or network, whose X-Forwarded headers are trusted; * is any; unset, none."),
    ] = ()
    allowed_host: Annotated[
        tuple[str, ...],
        Rule(
            "Host that requests may name, such as api.example.com or *.example.com; unset, on loopback localhost "
            "and IP addresses, elsewhere any."
        ),
    ] = ()
    cors_origin: Annotated[
        tuple[str, ...], Rule("Origin whose pages may call the API, such as https://app.example.com; * is any.")
    ] = ()
    access_log: Annotated[bool, Rule("A line in the log for each request.")] = True
    expose_errors: Annotated[
        bool | None,
        Rule("Addresses, paths and exceptions in 503s and readiness; unset, on loopback only."),
    ] = None
    max_inflight_mb: Annotated[
        int, Rule("Memory for bodies that arrive and responses that are not read yet, in MiB.", 1, 1_048_576)
    ] = 256
    max_body_bytes: Annotated[int, Rule("Largest request body that is accepted.", 1, 536_870_912)] = 10_485_760
    read_timeout_s: Annotated[float, Rule("Time a client has to send a whole header or body.", *_SPAN_S)] = 30.0
    keep_alive_timeout_s: Annotated[float, Rule("Time an idle connection is kept open.", *_SPAN_S)] = 75.0
    lame_duck_s: Annotated[
        float,
        Rule(
            "Time that a stopping server goes on accepting, though not ready, so that clients leave it.", 0, _LONGEST_S
        ),
    ] = 0.0
    sync_timeout_s: Annotated[
        float, Rule("Time until a synchronous prediction is answered with a 202; 0 is never.", 0, _LONGEST_S)
    ] = 0.0
    model: Annotated[
        str | None, Rule("Name of the model that a server without a worker serves; unset, the one there is.")
    ] = None

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.uds is None and _is_loopback(self.host)

    @property
    def exposes_errors(self) -> bool:
        """Whether responses contain addresses, paths and exceptions."""
        return self.on_loopback if self.expose_errors is None else self.expose_errors


class WorkerSettings(msgspec.Struct, frozen=True):
    """Which model runs, and how many predictions at once."""

    here: Annotated[
        bool, Rule("The model in the server's own processes, not in those of `zypher worker`.", name="worker")
    ] = True
    target: Annotated[str, Rule("The model: package.module:Name or path/to/file.py:Name.", positional=True)] = (
        "zypher.models.mock:mock_model_predict"
    )
    replicas: Annotated[int, Rule("Processes that each hold a copy of the model.", 1, 1_000)] = 1
    concurrency: Annotated[
        int | None, Rule("Predictions that one replica runs at once; unset, what the model states.", 1, 100_000)
    ] = None
    max_batch_size: Annotated[
        int | None,
        Rule("Inputs that `predict_batch` is given at once; unset, what the model states, else 32.", 1, 10_000),
    ] = None
    max_batch_wait_ms: Annotated[
        float | None,
        Rule("Time a prediction waits for others of its batch; unset, what the model states, else 0.", 0, 3_600_000),
    ] = None
    max_attempts: Annotated[int, Rule("Times a prediction may lose its replica before it fails.", 1, 1_000)] = 3
    max_output_bytes: Annotated[int, Rule("Longest output of a prediction.", 1, 1_073_741_824)] = 67_108_864
    replica_silence_s: Annotated[
        float, Rule("Time that a replica may leave its worker without an answer.", 0.1, _LONGEST_S)
    ] = 30.0
    timeout_s: Annotated[
        float | None,
        Rule("Longest run of a prediction; 0 is any; unset, what the model states, else an hour.", 0, _LONGEST_S),
    ] = None
    setup_timeout_s: Annotated[
        float, Rule("Longest time that a replica may take to load its model; 0 is any.", 0, _LONGEST_S)
    ] = 3_600.0
    cancel_grace_s: Annotated[
        float, Rule("Time that a prediction has to end once it is stopped, before its replica is.", *_SPAN_S)
    ] = 5.0
    drain_timeout_s: Annotated[
        float, Rule("Time from the signal on that running predictions have to end.", 0, _LONGEST_S)
    ] = 30.0
    health_port: Annotated[
        int | None,
        Rule("Port on which a worker answers /healthz/live, /healthz/ready and /metrics; unset, none.", 0, 65_535),
    ] = None
    import_path: tuple[str, ...] = ()  # folders in which replicas look for the model; of the script, no setting


class EngineSettings(msgspec.Struct, frozen=True):
    """Where predictions wait, and how long their results are kept."""

    engine: Annotated[
        str,
        Rule(
            "Where predictions wait: embedded, in the data folder; memory, which keeps nothing beyond the process; "
            "or the URL of a Redis such as redis://localhost:6379/0, or of the sentinels of one."
        ),
    ] = "embedded"
    require_durable_engine: Annotated[
        bool, Rule("Refuse to start, and durable predictions, while the engine may lose what it accepted.")
    ] = False
    data_dir: Annotated[Path, Rule("Folder for the predictions and their results.")] = Path(".zypher")
    queue_limit: Annotated[int, Rule("Predictions that may wait.", 1, 1_000_000_000)] = 100_000
    lease_s: Annotated[float, Rule("Time after which a silent worker's predictions run again.", *_SPAN_S)] = 30.0
    retention_s: Annotated[float, Rule("Time a result is kept.", *_SPAN_S)] = 86_400.0
    max_data_mb: Annotated[
        int | None,
        Rule(
            "Space for predictions and results, in MiB; unset, 10 GiB or half of what is free, the smaller; "
            "in memory 256.",
            1,
            1_073_741_824,
        ),
    ] = None
    redis_wait_replicas: Annotated[
        int, Rule("Replicas of Redis that must have copied a prediction before its 202; 0 is none.", 0, 100)
    ] = 0


class LogSettings(msgspec.Struct, frozen=True):
    """What is logged, and how."""

    level: Annotated[LogLevel, Rule("The least important records that are written.", name="log_level")] = LogLevel.INFO
    format: Annotated[
        LogFormat, Rule("Lines for people or JSON lines; auto: human on a terminal.", name="log_format")
    ] = LogFormat.AUTO
    values: Annotated[bool, Rule("Inputs and outputs in the log.", name="log_values")] = False


class Settings(msgspec.Struct, frozen=True):
    """Everything that can be set; `Settings()` is the defaults."""

    http: HttpSettings = HttpSettings()
    worker: WorkerSettings = WorkerSettings()
    engine: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()


def _is_loopback(host: str) -> bool:
    """Whether it is localhost, 127.0.0.0/8 or ::1, with brackets or without."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


SETTINGS: tuple[Setting, ...] = tuple(
    setting_of(section.name, declared)
    for section in fields(Settings)
    for declared in fields(section.type)
    if get_origin(declared.type) is Annotated
)
