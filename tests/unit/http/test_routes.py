import pytest

from zypher.http.answer import Answer
from zypher.http.problems import Problem
from zypher.http.request import Request
from zypher.http.routes import Table, get


async def closed(request: Request) -> Answer:
    return Answer(200, b"")


async def opened(request: Request) -> Answer:
    return Answer(200, b"")


TABLE = Table({"/": get(closed), "/a": {"POST": closed}, "/a/{id}": get(opened)})


def test_a_path_has_its_endpoint() -> None:
    assert TABLE.find("GET", "/") is closed
    assert TABLE.find("POST", "/a") is closed
    assert TABLE.find("GET", "/a/b") is opened
    assert TABLE.find("HEAD", "/a/b/c") is opened


@pytest.mark.parametrize("path", ["", "//", "/a/", "/a/b/", "/b", "/b/c", "a", "*", "/A"])
def test_any_other_path_is_not_found(path: str) -> None:
    with pytest.raises(Problem) as refused:
        TABLE.find("GET", path)
    assert refused.value.status == 404
    assert str(refused.value) == "There is no such page; there are /, /a, /a/{id}."


def test_another_method_is_told_which_there_are() -> None:
    with pytest.raises(Problem) as refused:
        TABLE.find("POST", "/a/b")
    assert refused.value.status == 405
    assert refused.value.headers == ((b"allow", b"GET, HEAD"),)
