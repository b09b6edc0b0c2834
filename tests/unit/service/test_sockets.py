"""Where a server listens."""

import socket

import pytest

from zypher.errors import ListenError
from zypher.service.sockets import Address, address_of, close_listener, listen, url_of
from zypher.settings import HttpSettings


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ListenError) as refused:
            listen(Address("127.0.0.1", port))
    assert str(refused.value) == (
        f"Port {port} on 127.0.0.1 is already in use; stop the other program or choose another with --port."
    )


@pytest.mark.parametrize("host", ["host.invalid", "192.0.2.1", "not a host", "\x00", "a" * 300, "unix:/tmp/x"])
def test_a_host_that_is_not_here_is_named(host: str) -> None:
    with pytest.raises(ListenError, match="--host"):
        listen(Address(host))


@pytest.mark.parametrize("host", ["[::1]", "::1"])
def test_an_ipv6_address_may_have_brackets(host: str) -> None:
    address = address_of(HttpSettings(host=host, port=0))
    with listen(address) as listener:
        assert url_of(listener, address, "https") == f"https://[::1]:{listener.getsockname()[1]}"


def test_a_port_can_be_taken_again_at_once_twice() -> None:
    listener = listen(Address("127.0.0.1"))
    address = Address("127.0.0.1", listener.getsockname()[1])
    for _ in range(2):
        # Closed on this side first: the system keeps the address of the connection for a minute.
        with socket.create_connection(("127.0.0.1", address.port)) as client:
            listener.setblocking(True)
            listener.accept()[0].close()
            assert client.recv(1) == b""
        close_listener(listener, address)
        listener = listen(address)
    close_listener(listener, address)
