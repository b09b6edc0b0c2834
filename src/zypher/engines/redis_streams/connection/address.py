"""The engine's URL: place, credentials, TLS and the prefix of all keys."""

import re
from pathlib import Path
from typing import cast
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

import msgspec
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from zypher.engines.redis_streams.connection.client import Client, Clients, ClusterClient
from zypher.engines.redis_streams.connection.greeting import greeting
from zypher.errors import SettingsError

_CONNECT_S = 4.0  # of TCP and TLS
_CLUSTER_ANSWER_S = 3.0
_SENTINEL_PORT = 26379
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_EXAMPLE = (
    "write it as redis://USER:PASSWORD@HOST:6379/0, rediss://… for TLS, unix:///path/to/redis.sock or "
    "redis+sentinel://HOST:26379,HOST:26379/0?master=NAME"
)
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_CHOICES = {
    "ssl_cert_reqs": ("required", "optional", "none"),
    "ssl_check_hostname": ("true", "false"),
}

_SERVERS = cast("Clients[Client]", Redis)
_CLUSTERS = cast("Clients[ClusterClient]", RedisCluster)


class Address(msgspec.Struct, frozen=True):
    """A parsed URL."""

    url: str  # for redis-py, with credentials
    shown: str  # for people, without credentials
    prefix: str
    sentinels: tuple["Address", ...] = ()  # that know which server is the master
    master: str = ""  # what they call it

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises `SettingsError` when it is not a URL of this engine; the message shows no password."""
        scheme, _, rest = url.partition("+sentinel://")
        if rest:
            return cls._of_sentinels(f"{scheme}://{rest}")
        parts = _split(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        prefix = query.pop("prefix", "zypher")
        if not _PREFIX.fullmatch(prefix):
            raise SettingsError("The engine's prefix must be 1 to 64 letters, digits or any of _ . : -")
        for name, value in query.items():
            _check_option(parts.scheme, name, value)
        return cls(parts._replace(query=urlencode(query)).geturl(), _shown(parts), prefix)

    @classmethod
    def _of_sentinels(cls, url: str) -> "Address":
        """A URL that names sentinels in place of one server."""
        parts = urlsplit(url)
        credentials, at, hosts = parts.netloc.rpartition("@")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        master, user, password = (query.pop(name, "") for name in ("master", "sentinel_username", "sentinel_password"))
        tls = urlencode({name: value for name, value in query.items() if name in {*_TLS_FILES, *_TLS_CHOICES}})
        theirs = f"{quote(user, safe='')}:{quote(password, safe='')}@" if password else ""
        places = [host if re.search(r":\d*$", host) else f"{host}:{_SENTINEL_PORT}" for host in hosts.split(",")]
        sentinels = tuple(cls.parse(f"{parts.scheme}://{theirs}{place}?{tls}") for place in places)
        if not master:
            raise SettingsError("The engine's URL names no master; add ?master=NAME, as the sentinels call it.")
        servers = parts._replace(netloc=credentials + at + places[0], query=urlencode(query)).geturl()
        shown = f"{parts.scheme}+sentinel://{','.join(places)}{parts.path}?master={master}"
        return msgspec.structs.replace(cls.parse(servers), shown=shown, sentinels=sentinels, master=master)

    def of_node(self, host: str, port: int) -> "Address":
        """Another node of the cluster, with the same credentials and options."""
        parts = urlsplit(self.url)
        credentials, at, _ = parts.netloc.rpartition("@")
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        parts = parts._replace(netloc=credentials + at + place)
        return msgspec.structs.replace(self, url=parts.geturl(), shown=_shown(parts))

    def client(self) -> Client:
        """A client of one server."""
        return _SERVERS.from_url(self.url, redis_connect_func=greeting(self.url), **options())

    def cluster_client(self) -> ClusterClient:
        """A client of the cluster to which the server belongs, without retries."""
        return _CLUSTERS.from_url(
            self.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            require_full_coverage=False,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_CLUSTER_ANSWER_S,
        )


def options() -> dict[str, object]:
    """Of the connections to one server."""
    # redis-py ends a read after five seconds by default; here each caller has its own limit.
    return {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": _CONNECT_S,
        "socket_timeout": None,
    }


def _split(url: str) -> SplitResult:
    """The parts of a URL that names a place. Its error repeats none of it, for that may be part of a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = None
    over_tcp = parts is not None and parts.scheme != "unix"
    if parts is None or (over_tcp and not re.fullmatch(r"/?\d*", parts.path)):
        raise SettingsError(
            "The engine's URL is wrong: what follows the host must be a port and a database's number, and "
            f"/ ? # @ : in a password must be written as %2F %3F %23 %40 %3A; {_EXAMPLE}."
        )
    if not (parts.hostname if over_tcp else parts.path):
        raise SettingsError(f"The engine's URL names no Redis; {_EXAMPLE}.")
    return parts


def _check_option(scheme: str, name: str, value: str) -> None:
    if name == "db":
        if not value.isdigit():
            raise SettingsError("The engine's URL sets db to something that is no number.")
    elif name not in (*_TLS_FILES, *_TLS_CHOICES):
        known = ", ".join(("prefix", "db", *_TLS_FILES, *_TLS_CHOICES))
        raise SettingsError(f"The engine's URL sets {name}, which it cannot; it can set {known}.")
    elif scheme != "rediss":
        raise SettingsError(f"The engine's URL sets {name}, which is for TLS only; write rediss:// in front.")
    elif name in _TLS_FILES and not Path(value).is_file():
        raise SettingsError(f"The engine's URL sets {name} to {value}, and there is no such file.")
    elif name in _TLS_CHOICES and value not in _TLS_CHOICES[name]:
        raise SettingsError(f"The engine's URL sets {name}, which must be one of {', '.join(_TLS_CHOICES[name])}.")


def _shown(parts: SplitResult) -> str:
    place = parts.path
    if parts.scheme != "unix":
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        place = f"{host}:{parts.port or 6379}{parts.path}"
    return f"{parts.scheme}://{place}"
