"""The page for people: Swagger UI, from an installed package and with no internet."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from zypher.http.answer import Answer
from zypher.http.problems import Problem
from zypher.http.request import Request

_PREFIX = "/swagger/"
_PACKAGE = "offapi"
_SECURITY = (
    # Beside what every answer says: the browser obeys both.
    (b"content-security-policy", b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"),
)
_HTML = (b"content-type", b"text/html; charset=utf-8")
_CSS = (b"content-type", b"text/css; charset=utf-8")
_SCRIPT = (b"content-type", b"text/javascript; charset=utf-8")
_FILES = {"swagger_style.css": _CSS, "swagger_bundle.js": _SCRIPT, "swagger_preset.js": _SCRIPT}


async def front_door(request: Request) -> Answer:
    """Answer 200, as load balancers ask by default, and show people the way to the page."""
    if b"text/html" in request.headers.get(b"accept", b""):
        return Answer(200, _own("front_door.html"), _SECURITY, _HTML)
    return Answer(200, b'{"message": "The API is described at /swagger and /openapi.json."}')


async def page(request: Request) -> Answer:
    """Answer with the page; its scripts are assets."""
    return Answer(200, _own("swagger.html"), _SECURITY, _HTML)


async def asset(request: Request) -> Answer:
    """Answer with one of the page's files; read anew each time, since a browser keeps them for a day."""
    name = request.path.removeprefix(_PREFIX).removesuffix("/")
    headers = (*_SECURITY, (b"cache-control", b"public, max-age=86400"))
    if name == "start.js":
        return Answer(200, _own("swagger_start.js"), headers, _SCRIPT)
    if name not in _FILES:
        raise Problem(404, "There is no such file; the page is /swagger.")
    return Answer(200, (_folder() / name).read_bytes(), headers, _FILES[name])


def _own(name: str) -> bytes:
    """A file of ours. Every address in it is relative, so that it also works behind a proxy's path prefix."""
    return files("zypher.http").joinpath(name).read_bytes()


def _folder() -> Path:
    """Where the package keeps its files. It is not imported: that would read all of them into memory."""
    spec = find_spec(_PACKAGE)
    assert spec is not None, f"{_PACKAGE} is a dependency of this package"
    assert spec.submodule_search_locations, f"{_PACKAGE} is a package"
    return Path(spec.submodule_search_locations[0])
