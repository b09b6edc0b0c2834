import pytest

from zypher.access.hosts import Hosts
from zypher.errors import SettingsError
from zypher.settings import HttpSettings

LOOPBACK = HttpSettings()
EVERYWHERE = HttpSettings(host="0.0.0.0")
NAMED = HttpSettings(host="0.0.0.0", allowed_host=("api.example.com", "*.a.example", "10.0.0.1"))


@pytest.mark.parametrize(
    ("settings", "host", "served"),
    [
        (LOOPBACK, b"localhost", True),
        (LOOPBACK, b"LOCALHOST:8080", True),
        (LOOPBACK, b"a.localhost", True),
        (LOOPBACK, b"127.0.0.1:80", True),
        (LOOPBACK, b"192.168.0.7", True),
        (LOOPBACK, b"[::1]:80", True),
        (LOOPBACK, b"attacker.example", False),
        (LOOPBACK, b"localhost.attacker.example", False),
        (LOOPBACK, b"notlocalhost", False),
        (EVERYWHERE, b"anything.example", True),
        (EVERYWHERE, b"no host", False),
        (EVERYWHERE, b"", False),
        (NAMED, b"api.example.com", True),
        (NAMED, b"API.example.com.:443", True),
        (NAMED, b"x.a.example", True),
        (NAMED, b"a.example", False),
        (NAMED, b"10.0.0.1", True),
        (NAMED, b"10.0.0.2", False),
        (NAMED, b"localhost", False),
    ],
)
def test_a_host_is_served_or_refused_with_a_sentence(settings: HttpSettings, host: bytes, served: bool) -> None:
    hosts = Hosts(settings)
    for _ in range(2):
        assert (hosts.problem(host, "1.1") is None) == served


def test_the_refusal_names_the_flag() -> None:
    assert "--allowed-host" in str(Hosts(LOOPBACK).problem(b"attacker.example", "1.1"))


def test_only_old_http_may_leave_the_host_out() -> None:
    assert Hosts(LOOPBACK).problem(None, "1.0") is None
    assert Hosts(LOOPBACK).problem(None, "1.1") is not None


@pytest.mark.parametrize("pattern", ["a b", "https://a", "a/b", "*.*", "a.*", "*a", "a:80", "-?-"])
def test_a_pattern_that_no_host_fits_is_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match="--allowed-host"):
        Hosts(HttpSettings(allowed_host=(pattern,)))
