"""The page for people: Swagger UI, from an installed package and with no internet."""

from importlib.util import find_spec
from pathlib import Path

from zypher.http.errors import HttpError
from zypher.http.request import Request
from zypher.http.response import Header, Response

_OURS = Path(__file__).parent  # every address in our files is relative: a proxy may add a prefix
_PACKAGE = "offapi"
_ASSETS = frozenset({"swagger_style.css", "swagger_bundle.js", "swagger_preset.js"})  # of the package
_TYPES = {".html": b"text/html", ".css": b"text/css", ".js": b"text/javascript"}
_FOR_A_DAY: Header = (b"cache-control", b"public, max-age=86400")
# In addition to the policy of every response; the browser applies both.
_POLICY = (b"content-security-policy", b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:")


async def index(request: Request) -> Response:
    """Return 200, which load balancers ask for by default, and for people a link to the page."""
    if b"text/html" in request.headers.get(b"accept", b""):
        return _file(_OURS / "index.html")
    return Response(200, b'{"message": "The API is described at /swagger and /openapi.json."}')


async def page(request: Request) -> Response:
    """Return the page; its scripts are assets."""
    return _file(_OURS / "swagger.html")


async def asset(request: Request) -> Response:
    """Return one of the page's files; read each time, since a browser caches them for a day."""
    name = request.path.removeprefix("/swagger/").removesuffix("/")
    if name == "start.js":
        return _file(_OURS / "swagger_start.js", _FOR_A_DAY)
    if name not in _ASSETS:
        raise HttpError(404, "There is no such file; the page is /swagger.")
    # The package is not imported: that would read all of its files into memory.
    spec = find_spec(_PACKAGE)
    assert spec is not None, f"{_PACKAGE} is a dependency of this package"
    assert spec.origin is not None, f"{_PACKAGE} is a package with an __init__.py"
    return _file(Path(spec.origin).with_name(name), _FOR_A_DAY)


def _file(path: Path, *headers: Header) -> Response:
    content_type = b"%b; charset=utf-8" % _TYPES[path.suffix]
    return Response(200, path.read_bytes(), (_POLICY, *headers), (b"content-type", content_type))
