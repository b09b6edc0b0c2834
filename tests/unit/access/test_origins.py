import pytest

from zypher.access.origins import Origins
from zypher.errors import SettingsError

PAGE = b"https://app.example.com"
ASKING = {b"origin": PAGE, b"access-control-request-method": b"POST"}


def allowed(origins: Origins, origin: bytes) -> bytes | None:
    return dict(origins.headers({b"origin": origin})).get(b"access-control-allow-origin")


def test_without_origins_no_cors_headers_are_sent() -> None:
    assert Origins(()).headers({b"origin": PAGE}) == ()
    assert Origins(()).preflight(ASKING) is None


def test_only_named_origins_may_read() -> None:
    origins = Origins(("https://app.example.com", "http://localhost:3000"))
    assert allowed(origins, PAGE) == PAGE
    assert allowed(origins, b"https://APP.example.com") == b"https://APP.example.com"
    for other in (b"http://app.example.com", b"https://app.example.com:444", b"null", b"", PAGE + b".evil"):
        assert allowed(origins, other) is None
        assert (b"vary", b"Origin") in origins.headers({b"origin": other})


def test_any_origin_may_read_what_is_for_all() -> None:
    assert allowed(Origins(("*",)), b"https://anywhere.example") == b"*"


def test_a_preflight_is_answered_for_named_origins_alone() -> None:
    origins = Origins(("https://app.example.com",))
    said = dict(origins.preflight(ASKING) or ())
    assert b"POST" in said[b"access-control-allow-methods"]
    assert b"Idempotency-Key" in said[b"access-control-allow-headers"]
    assert origins.preflight(ASKING | {b"origin": b"https://evil.example"}) == ()
    assert origins.preflight({b"origin": PAGE}) is None


@pytest.mark.parametrize(
    "origin", ["app.example.com", "https://a/", "https://a/path", "ftp://a", "https://a b", "null"]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(SettingsError, match="--cors-origin"):
        Origins((origin,))
