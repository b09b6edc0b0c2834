import pytest

from zypher.http.errors import HttpError
from zypher.http.request import Endpoint, Request
from zypher.http.response import Response
from zypher.http.routes import Table, get


async def closed(request: Request) -> Response:
    return Response(200, b"")


async def opened(request: Request) -> Response:
    return Response(200, b"")


TABLE = Table({"/": get(closed), "/a": {"POST": closed}, "/a/{id}": get(opened)})


def endpoint(method: str, path: str) -> Endpoint:
    return TABLE.find(path).endpoint(method)


@pytest.mark.parametrize(
    ("method", "path", "served"),
    [
        ("GET", "/", closed),
        ("POST", "/a", closed),
        ("POST", "/a/", closed),
        ("GET", "/a/b", opened),
        ("GET", "/a/b/", opened),
        ("HEAD", "/a/b", opened),
    ],
)
def test_a_path_has_its_endpoint(method: str, path: str, served: Endpoint) -> None:
    assert endpoint(method, path) is served


@pytest.mark.parametrize("path", ["", "//", "/b", "/b/c", "/a/b/c", "/a//", "a", "*", "/A"])
def test_any_other_path_is_not_found(path: str) -> None:
    with pytest.raises(HttpError) as refused:
        TABLE.find(path)
    assert refused.value.status == 404
    assert str(refused.value) == "This path is not served; these are: /, /a, /a/{id}."


def test_another_method_is_405_with_allow() -> None:
    with pytest.raises(HttpError) as refused:
        endpoint("POST", "/a/b")
    assert refused.value.status == 405
    assert refused.value.headers == ((b"allow", b"GET, HEAD"),)
