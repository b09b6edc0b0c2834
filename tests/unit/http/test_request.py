import pytest

from zypher.access.budget import Budget
from zypher.http.request import Message, Request


def request(path: str, *headers: tuple[bytes, bytes], root_path: str = "") -> Request:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope: dict[str, object] = {"method": "GET", "http_version": "1.1", "query_string": b"", "root_path": root_path}
    return Request(scope | {"path": path, "headers": headers}, receive, Budget(1))


@pytest.mark.parametrize(
    ("path", "root_path", "below"),
    [("/a", "", "/a"), ("/ml/a", "/ml", "/a"), ("/a", "/ml", "/a"), ("/ml", "/ml", ""), ("/mla", "/ml", "/mla")],
)
def test_a_path_is_that_below_the_mount(path: str, root_path: str, below: str) -> None:
    assert request(path, root_path=root_path).path == below


def test_a_repeated_header_is_a_list() -> None:
    read = request("/", (b"prefer", b"x"), (b"a", b"b"), (b"prefer", b"wait=7"))
    assert read.headers == {b"prefer": b"x, wait=7", b"a": b"b"}
    assert read.repeated == b""


@pytest.mark.parametrize("name", [b"host", b"authorization", b"x-api-key", b"idempotency-key", b"content-type"])
def test_what_must_not_be_repeated_is_named(name: bytes) -> None:
    assert request("/", (name, b"x"), (name, b"x")).repeated == name
