"""Finding the endpoint for a request."""

from collections.abc import Mapping

from zypher.http.problems import Problem
from zypher.http.request import Endpoint

Methods = Mapping[str, Endpoint]
Routes = Mapping[str, Methods]  # a path, whose last segment may be open as in /predict/{prediction_id}


def get(endpoint: Endpoint) -> Methods:
    """A route to read; HEAD is GET without the body, which the server leaves out."""
    return {"GET": endpoint, "HEAD": endpoint}


class Table:
    """The routes, to be found in one or two looks."""

    def __init__(self, routes: Routes) -> None:
        self._closed = {path: methods for path, methods in routes.items() if not path.endswith("}")}
        self._paths = ", ".join(routes)
        self._open = {_parent(path): methods for path, methods in routes.items() if path.endswith("}")}

    def find(self, method: str, path: str) -> Endpoint:
        """The endpoint. Raises `Problem` when there is none for this path, or none for this method."""
        methods = self._closed.get(path)
        if methods is None and not path.endswith("/"):
            methods = self._open.get(_parent(path))
        if methods is None:
            raise Problem(404, f"There is no such page; there are {self._paths}.")
        endpoint = methods.get(method)
        if endpoint is None:
            allowed = ", ".join(methods)
            raise Problem(405, f"Method {method} is not served here; use {allowed}.", (b"allow", allowed.encode()))
        return endpoint


def _parent(path: str) -> str:
    """The path up to its second slash: `/predict/` of `/predict/abc`."""
    return path[: path.find("/", 1) + 1]
