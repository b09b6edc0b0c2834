"""Behind nginx, which shares its connections among clients: no request takes the answer of another."""

from collections.abc import Iterator

import pytest

from tests.missing import missing
from tests.nginx import is_here, nginx
from tests.raw_cases import CASES
from tests.raw_http import RawConnection, post
from tests.server_process import ServerProcess

LAST = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def proxy(our_echo: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not is_here():
        missing("These tests need nginx: make install-dev brings it, on Linux.")
    with nginx(tmp_path_factory.mktemp("nginx"), our_echo.url) as url:
        yield url


@pytest.mark.parametrize("request_", [case[1] for case in CASES], ids=[case[0] for case in CASES])
def test_the_next_caller_gets_its_own_result(proxy: str, request_: bytes) -> None:
    with RawConnection(proxy) as connection:
        connection.send(request_ + LAST)
        connection.receive()
    for victim in (b"first", b"second one"):
        with RawConnection(proxy) as connection:
            connection.send(post(b'{"input": "%b"}' % victim, "Connection: close"))
            response = connection.receive()
        assert b'"result":"%d"' % len(victim) in response.replace(b": ", b":"), response
        assert response.count(b"HTTP/1.1 ") == 1
