"""Failures of Redis or of the connection to it, each as one sentence with its remedy."""

import re

from redis.exceptions import RedisError

from zypher.errors import EngineUnavailable, ZypherError


class UnusableData(EngineUnavailable):
    """What Redis keeps of a model or a prediction cannot be used, though Redis answers: waiting does not help."""


# What is raised while Redis is away. The pipeline logs that.
OUTAGE: tuple[type[Exception], ...] = (EngineUnavailable, RedisError, OSError)

# Of Redis as a whole: each caller is refused alike.
_AFFECTS_ALL = {
    "OOM": "Redis is full; raise its maxmemory or free memory, with maxmemory-policy noeviction",
    "READONLY": "this Redis is a read-only replica; name the primary in the engine's URL",
    "MISCONF": "Redis cannot save to its disk and refuses writes; make room on its disk and see its log",
    "NOAUTH": "Redis asks for a password; put it into the engine's URL, as redis://:PASSWORD@HOST",
    "WRONGPASS": "Redis does not know this user and password; correct them in the engine's URL",
    "NOPERM": "this Redis user may not do what the engine needs; allow it scripts, streams and pub/sub on these keys",
    "LOADING": "Redis is still reading its data from disk; it goes on by itself",
    "CLUSTERDOWN": "the Redis cluster does not serve all its slots; mend the cluster",
    "MASTERDOWN": "this Redis replica has lost its primary; name the primary in the engine's URL",
    "NOREPLICAS": "Redis has too few replicas to accept writes; start them",
    "BUSY": "Redis is held up by a long script; see what runs there",
}
_NO_CONNECTION = "max number of clients reached"
_REMEDIES = _AFFECTS_ALL | {
    _NO_CONNECTION: "it takes no more connections; raise its maxclients, or stop some of its clients",
    "WRONGTYPE": "a key under the engine's prefix is not one of zypher's; choose another with ?prefix=NAME",
    "DB index": "this Redis has no such database; correct the number at the end of the engine's URL",
    "invalid DB": "this Redis has no such database; correct the number at the end of the engine's URL",
    "SELECT is not allowed": "a Redis cluster has database 0 only; correct the number at the end of the engine's URL",
    "CERTIFICATE_VERIFY_FAILED": (
        "its certificate is not trusted; name the authority that signed it with ?ssl_ca_certs=/path/to/ca.pem "
        "at the end of the engine's URL, and the host as the certificate does"
    ),
}
_BY_CLASS = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "BusyLoadingError": "LOADING",
    "NoPermissionError": "NOPERM",
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "NOAUTH",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
}
_CODE = re.compile("|".join(rf"\b{code}\b" for code in _REMEDIES))


def describe(error: BaseException, address: str) -> str:
    """What is wrong with the Redis at `address`, and what to do."""
    if isinstance(error, ZypherError):
        return str(error)
    code = _code(error)
    if code is not None:
        return f"The engine at {address} refuses: {_REMEDIES[code]}."
    if _is_answer(error):
        return (
            f"The engine at {address} cannot do what it was asked ({_first_line(error)}); "
            "see that it is Redis 6.2 or later."
        )
    return (
        f"The engine at {address} cannot be reached ({_first_line(error)}); start it, or correct the engine's URL: "
        "rediss:// is with TLS, redis:// without."
    )


def describe_sentinels(error: BaseException, address: str) -> str:
    """Why none of the sentinels at `address` names a master, by the error of one of them, and what to do."""
    code, text = _code(error), _first_line(error)
    if code in {"NOAUTH", "WRONGPASS"}:
        return f"The sentinels at {address} refuse; correct sentinel_username and sentinel_password in that URL."
    if "No such master" in text:
        return f"The sentinels at {address} know no master of that name; correct ?master= in the engine's URL."
    if "unknown command" in text:
        return f"There is no Sentinel at {address} but a Redis; for that the engine's URL begins with redis://."
    return f"No sentinel of {address} answers ({text}); start them, or correct the engine's URL."


def affects_all(error: BaseException) -> bool:
    """Whether this Redis would refuse every other command, too."""
    return _code(error) in _AFFECTS_ALL


def is_connection_refused(error: BaseException) -> bool:
    """Whether Redis has as many connections as it takes."""
    return _code(error) == _NO_CONNECTION


def _is_answer(error: BaseException) -> bool:
    """Whether Redis itself answered with this error."""
    return "ResponseError" in {kind.__name__ for kind in type(error).__mro__}


def _code(error: BaseException) -> str | None:
    found = _CODE.search(str(error))
    code = found[0] if found else _BY_CLASS.get(type(error).__name__)
    if "called without any password" in str(error):
        return "WRONGPASS"
    return "NOAUTH" if code == "WRONGPASS" and "Authentication required" in str(error) else code


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
