import pytest

from zypher.engines.redis_streams.connection.address import Address
from zypher.errors import SettingsError


def test_sentinels_have_their_default_port_and_credentials() -> None:
    address = Address.parse(
        "redis+sentinel://me:s%2Fecret@h1:1,[::1],h3/2?master=mine&prefix=p&sentinel_username=u&sentinel_password=h%2Fush"
    )
    assert [each.url for each in address.sentinels] == [
        "redis://u:h%2Fush@h1:1",
        "redis://u:h%2Fush@[::1]:26379",
        "redis://u:h%2Fush@h3:26379",
    ]
    assert (address.url, address.master, address.prefix) == ("redis://me:s%2Fecret@h1:1/2", "mine", "p")
    assert address.shown == "redis+sentinel://h1:1,[::1]:26379,h3:26379/2?master=mine"


def test_sentinels_without_credentials_are_asked_without_any() -> None:
    address = Address.parse("rediss+sentinel://:secret@h1?master=mine&ssl_cert_reqs=none")
    assert [each.url for each in address.sentinels] == ["rediss://h1:26379?ssl_cert_reqs=none"]
    assert address.url == "rediss://:secret@h1:26379?ssl_cert_reqs=none"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis+sentinel://:hush@h1,h2", "names no master; add \\?master=NAME"),
        ("redis+sentinel://:hush@h1,,h2?master=mine", "names no Redis"),
        ("redis+sentinel://:hush@?master=mine", "names no Redis"),
        ("redis+sentinel://:hush@h1:port?master=mine", "must be a port"),
        ("redis+sentinel://:hu/sh@h1?master=mine", "must be written as %2F"),
        ("redis+sentinel://:hush@h1/nine?master=mine", "a database's number"),
        ("redis+sentinel://:hush@h1?master=mine&retries=1", "sets retries, which it cannot"),
        ("redis+sentinel://:hush@h1?master=mine&ssl_cert_reqs=none", "for TLS only"),
        ("redis://:hush@h1?sentinel_password=hush", "sets sentinel_password, which it cannot"),
    ],
)
def test_a_wrong_url_of_sentinels_is_a_sentence(url: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as refused:
        Address.parse(url)
    assert "hush" not in str(refused.value).replace("sentinel_password", "")
