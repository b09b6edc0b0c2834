"""The engine's URL: where Redis is, how to get in, what our keys begin with."""

import re
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from zypher.engines.redis_streams.client import Client, Clients
from zypher.errors import SettingsError

SCHEMES = ("redis", "rediss", "unix")

_CONNECT_S = 2.0
_CLUSTER_ANSWER_S = 3.0
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_EXAMPLE = "write it as redis://USER:PASSWORD@HOST:6379/0, rediss://… for TLS or unix:///path/to/redis.sock"


_SERVERS = cast(Clients, Redis)
_CLUSTERS = cast(Clients, RedisCluster)


class Address(msgspec.Struct, frozen=True):
    """A parsed URL."""

    url: str  # for redis-py, with credentials
    shown: str  # for people, without
    prefix: str

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises `SettingsError` when it is not a URL of this engine."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise SettingsError(f"The engine's URL is wrong ({error}); {_EXAMPLE}.") from None
        if not (parts.path if parts.scheme == "unix" else parts.hostname):
            raise SettingsError(f"The engine's URL names no Redis; {_EXAMPLE}.")
        if parts.scheme != "unix" and not re.fullmatch(r"/?\d*", parts.path):
            raise SettingsError(f"The engine's URL ends in {parts.path!r} instead of a database's number; {_EXAMPLE}.")
        query = dict(parse_qsl(parts.query))
        prefix = query.pop("prefix", "zypher")
        if not _PREFIX.fullmatch(prefix):
            raise SettingsError("The engine's prefix must be 1 to 64 letters, digits or any of _ . : -")
        for name in query.keys() - {"db"}:
            if not name.startswith("ssl_"):
                raise SettingsError(f"The engine's URL sets {name}, which it cannot; it can set prefix, db and ssl_….")
        place = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{port or 6379}{parts.path}"
        return cls(parts._replace(query=urlencode(query)).geturl(), f"{parts.scheme}://{place}", prefix)

    def client(self) -> Client:
        """A client of one server."""
        # redis-py ends a read after five seconds unless told otherwise; here who asks sets the limit.
        return _SERVERS.from_url(
            self.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=None,
            socket_keepalive=True,
        )

    def cluster_client(self) -> Client:
        """A client of the cluster to which the server belongs."""
        return _CLUSTERS.from_url(
            self.url, protocol=2, socket_connect_timeout=_CONNECT_S, socket_timeout=_CLUSTER_ANSWER_S
        )
