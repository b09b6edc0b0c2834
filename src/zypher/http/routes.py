"""Finding the endpoint for a request."""

from collections.abc import Mapping

import msgspec

from zypher.http.errors import HttpError
from zypher.http.request import Endpoint

Methods = Mapping[str, Endpoint]
Routes = Mapping[str, Methods]  # a path, of which one segment may be open, the last or the one before


class Route(msgspec.Struct, frozen=True):
    """Where requests to many paths lead."""

    path: str  # such as /predict/{prediction_id}
    methods: Methods

    def endpoint(self, method: str) -> Endpoint:
        """Raises `HttpError` when this method is not served."""
        endpoint = self.methods.get(method)
        if endpoint is None:
            allowed = ", ".join(self.methods)
            raise HttpError(405, f"Method {method} is not served here; use {allowed}.", (b"allow", allowed.encode()))
        return endpoint


def get(endpoint: Endpoint) -> Methods:
    """A route to read; HEAD is GET without the body, which is left out when it is sent."""
    return {"GET": endpoint, "HEAD": endpoint}


class Table:
    """Finds routes in constant time."""

    def __init__(self, routes: Routes) -> None:
        self._paths = ", ".join(routes)
        each = [Route(path, methods) for path, methods in routes.items()]
        self._static = {route.path: route for route in each if "{" not in route.path}
        self._by_prefix = {_parent(route.path): route for route in each if route.path.endswith("}")}
        self._by_prefix_and_suffix = {_around(route.path): route for route in each if "}/" in route.path}

    def find(self, path: str) -> Route:
        """The route; a slash at the end changes nothing. Raises `HttpError` when there is none for this path."""
        route = self._static.get(path)
        if route is None and not path.endswith("//"):
            path = path.removesuffix("/")
            route = (
                self._static.get(path)
                or self._by_prefix.get(_parent(path))
                or self._by_prefix_and_suffix.get(_around(path))
            )
        if route is None:
            raise HttpError(404, f"This path is not served; these are: {self._paths}.")
        return route


def _parent(path: str) -> str:
    """The path up to its last slash: `/predict/` of `/predict/abc`."""
    return path[: path.rfind("/") + 1]


def _around(path: str) -> tuple[str, str]:
    """What is around the segment before the last: `/dead-letters/` and `/replay` of `/dead-letters/abc/replay`."""
    last = path.rfind("/")
    return _parent(path[: max(0, last)]), path[last:]
