"""Requests that no client would send, or that two programs in a row may read differently, by family.

Each case is the bytes of one request, and the statuses of which its answer has one. They say what RFC 9110 and RFC 9112
ask of a server that does not guess: what is not clear is refused, and the connection closed.
"""

import gzip
from collections.abc import Iterator

BODY = b'{"input": "a"}'
CHUNKS = b"e\r\n" + BODY + b"\r\n0\r\n\r\n"
HEAD = b"Host: localhost\r\nContent-Type: application/json\r\n"

OK = (200,)
BAD = (400,)
EITHER = (200, 400)

Case = tuple[str, bytes, tuple[int, ...]]


def post(
    headers: bytes = b"", body: bytes = BODY, line: bytes = b"POST /predict HTTP/1.1", head: bytes = HEAD
) -> bytes:
    return line + b"\r\n" + head + b"Content-Length: %d\r\n" % len(body) + headers + b"\r\n" + body


def get(
    line: bytes = b"GET /healthz/live HTTP/1.1", headers: bytes = b"Host: localhost\r\n", end: bytes = b"\r\n"
) -> bytes:
    return line + b"\r\n" + headers + end


def chunked(chunks: bytes = CHUNKS, coding: bytes = b"Transfer-Encoding: chunked\r\n") -> bytes:
    return b"POST /predict HTTP/1.1\r\n" + HEAD + coding + b"\r\n" + chunks


def transfer_codings() -> Iterator[Case]:
    for value in (b"chunked", b"CHUNKED", b"cHuNkEd", b" chunked", b"\tchunked", b"chunked "):
        yield f"transfer-encoding {value!r}", chunked(coding=b"Transfer-Encoding:" + value + b"\r\n"), OK
    for value in (
        *(b"xchunked", b"chunkedx", b"chunk", b"chunked,", b",chunked", b"chunked;a=b", b'"chunked"', b"'chunked'"),
        *(b"identity", b"identity, chunked", b"chunked, identity", b"gzip", b"gzip, chunked", b"chunked, gzip"),
        *(b"chunked, chunked", b"", b"\x0bchunked", b"\x0cchunked", b"chunked\x0b", b"chunked\xa0", b"\xa0chunked"),
        *(b"chunked\x00", b"chun\rked", b"chun\xe2\x84\xaaed", b"trailers", b"0", b"chunked(x)"),
    ):
        yield f"transfer-encoding {value!r}", chunked(coding=b"Transfer-Encoding: " + value + b"\r\n"), BAD
    twice = b"Transfer-Encoding: chunked\r\nTransfer-Encoding: "
    for value in (b"chunked", b"gzip", b"identity"):
        yield f"transfer-encoding twice, {value!r}", chunked(coding=twice + value + b"\r\n"), BAD
    for name in (b"Transfer_Encoding", b"X-Transfer-Encoding"):
        yield f"{name.decode()} is no framing", post(name + b": chunked\r\n"), OK
    for name in (b"Transfer-Encoding ", b" Transfer-Encoding", b"Transfer-Encoding\t", b"Transfer Encoding"):
        yield f"{name!r}", chunked(coding=name + b": chunked\r\n"), BAD
    for headers in (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(CHUNKS),
        b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
    ):
        yield f"two framings {headers!r}", chunked(coding=headers), BAD


def lengths() -> Iterator[Case]:
    for value in (b"14", b" 14", b"14 ", b"14\t", b"014", b"0" * 5_000 + b"14"):
        yield f"length {value[-6:]!r}", _with_length(value), OK
    for value in (
        *(b"", b"+14", b"-14", b"0x0e", b"14.0", b"1e1", b"1 4", b"14,14", b"14, 14", b"abc", b"14a", b"1_4", b"\xb2"),
        *(b"99999999999999999999999", b"18446744073709551630", b"14;", b'"14"', b"\x0b14", b"14\x00"),
    ):
        yield f"length {value!r}", _with_length(value), BAD
    for more in (b"14", b"15", b"0"):
        yield f"length twice, {more!r}", _with_length(b"14\r\nContent-Length: " + more), BAD


def _with_length(value: bytes) -> bytes:
    return b"POST /predict HTTP/1.1\r\n" + HEAD + b"Content-Length: " + value + b"\r\n\r\n" + BODY


def names() -> Iterator[Case]:
    for character in b'\x00\x01\t\x0b\x0c\x1f "(),/;<=>?@[\\]{}\x7f\x80\xff':
        yield f"header name with {chr(character)!r}", get(headers=b"Host: localhost\r\nX%c: y\r\n" % character), BAD
    for character in b"!#$%&'*+-.^_`|~0a":
        yield f"header name with {chr(character)!r}", get(headers=b"Host: localhost\r\nX%c: y\r\n" % character), OK
    for line in (b": y\r\n", b"X\r\n", b"X :y\r\n", b" X: y\r\n", b"\tX: y\r\n"):
        yield f"header {line!r}", get(headers=b"Host: localhost\r\n" + line), BAD
    yield "a folded header", get(headers=b"Host: localhost\r\nX: y\r\n z\r\n"), BAD
    yield "a folded header by tab", get(headers=b"Host: localhost\r\nX: y\r\n\tz\r\n"), BAD


def values() -> Iterator[Case]:
    for character in (0, 10, 13):
        yield f"header value with {chr(character)!r}", get(headers=b"Host: localhost\r\nX: a%cb\r\n" % character), BAD
    for character in (1, 8, 11, 12, 27, 31, 127):
        yield (
            f"header value with {chr(character)!r}",
            get(headers=b"Host: localhost\r\nX: a%cb\r\n" % character),
            EITHER,
        )
    for value in (b"", b" ", b"\t", b"\xe9", b"\xff", b"a\tb", b'"', b"a" * 30_000):
        yield f"header value {value[:9]!r}", get(headers=b"Host: localhost\r\nX: " + value + b"\r\n"), OK
    yield "a header of 66 KB", get(headers=b"Host: localhost\r\nX: " + b"a" * 66_000 + b"\r\n"), (431,)
    yield "2,000 headers", get(headers=b"Host: localhost\r\n" + b"X: y\r\n" * 2_000), (431,)


def line_ends() -> Iterator[Case]:
    yield "bare LF", get().replace(b"\r\n", b"\n"), BAD
    yield "bare LF after the request line", get().replace(b"\r\n", b"\n", 1), BAD
    yield "bare CR", get().replace(b"\r\n", b"\r"), BAD
    yield "CR CR LF", get().replace(b"\r\n", b"\r\r\n", 1), BAD
    yield "LF before the request", b"\n" + get(), EITHER
    yield "CR LF before the request", b"\r\n" + get(), OK
    yield "many CR LF before the request", b"\r\n" * 20 + get(), OK


def request_lines() -> Iterator[Case]:
    for line in (
        *(b"GET\t/healthz/live HTTP/1.1",),
        *(b" GET /healthz/live HTTP/1.1", b"GET /healthz/live HTTP/1.1 ", b"GET /healthz/live HTTP/1.1 x"),
        *(b"GET /healthz/live http/1.1", b"GET /healthz/live HTTP/1.10", b"GET /healthz/live HTTP/11"),
        *(b"GET /healthz/live HTTP/1", b"GET /healthz/live HTTP/a.b", b"GET /healthz/live HTTP 1.1"),
        *(b"GET /healthz/live XTTP/1.1", b"GET /healthz/live SIP/2.0", b"GET /healthz/live", b"GET HTTP/1.1", b"GET"),
        *(b"get /healthz/live HTTP/1.1", b"BREW /healthz/live HTTP/1.1", b"G\x00T /healthz/live HTTP/1.1"),
        *(b"GET healthz/live HTTP/1.1", b"GET \\healthz HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\x7f HTTP/1.1"),
        *(b"GET /a b HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET http:// HTTP/1.1", b"GET //: HTTP/1.1"),
    ):
        yield f"{line!r}", get(line), (400, 404, 405, 505)
    for version in (b"0.9", b"1.2", b"1.9", b"2.0", b"3.0", b"9.9", b"0.0"):
        yield f"version {version!r}", get(b"GET /healthz/live HTTP/" + version), (400, 505)
    yield "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)
    for target in (
        b"http://localhost/healthz/live",
        b"http://other:1/healthz/live",
        b"/healthz/%6Cive",
        b"/healthz/live/",
    ):
        yield f"target {target!r}", get(b"GET " + target + b" HTTP/1.1"), OK
    for target in (b"/healthz/live?a=b&c", b"/healthz/live?", b"/healthz/live?%00", b"/healthz/live?/../x"):
        yield f"target {target!r}", get(b"GET " + target + b" HTTP/1.1"), OK
    for target in (b"/healthz/../healthz/live", b"//healthz/live", b"/healthz//live", b"/%00", b"/%ff%fe", b"/..%2f.."):
        yield f"target {target!r}", get(b"GET " + target + b" HTTP/1.1"), (404,)
    yield "a target of 9 KB", get(b"GET /" + b"a" * 9_000 + b" HTTP/1.1"), (414,)
    for method in (b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE", b"PROPFIND", b"QUERY", b"LOCK", b"PURGE"):
        yield f"method {method!r}", get(method + b" /predict HTTP/1.1"), (405,)
    yield "a tunnel", get(b"CONNECT localhost:80 HTTP/1.1"), (400, 404, 405)


def chunk_sizes() -> Iterator[Case]:
    rest = b"\r\n" + BODY + b"\r\n0\r\n\r\n"
    for size in (b"e", b"E", b"0e", b"0" * 15 + b"e", b"e;x", b"e;x=y", b'e;x="y"', b"e;x=y;z"):
        yield f"chunk size {size!r}", chunked(size + rest), OK
    for size in (b"e ", b" e", b"\te", b"e\t", b"e ;x"):
        yield f"chunk size {size!r}", chunked(size + rest), EITHER
    for size in (
        b"",
        b"+e",
        b"-e",
        b"0xe",
        b"g",
        b"e\x00",
        b"e\x0b",
        b"1" + b"0" * 16,
        b"f" * 17,
        b"14.",
        b"e,e",
        b"\xb2",
    ):
        yield f"chunk size {size!r}", chunked(size + rest), BAD
    yield "a chunk longer than it says", chunked(b"d" + rest), BAD
    yield "a chunk without its end", chunked(b"e\r\n" + BODY + b"0\r\n\r\n"), BAD
    yield "a chunk ended by LF", chunked(b"e\r\n" + BODY + b"\n0\r\n\r\n"), BAD
    yield "a size ended by LF", chunked(b"e\n" + BODY + b"\r\n0\r\n\r\n"), BAD
    yield "byte by byte", chunked(b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"), OK
    for trailer in (b"X: y", b"Host: x", b"Async-Mode: maybe"):
        yield f"trailer {trailer!r}", chunked(CHUNKS[:-2] + trailer + b"\r\n\r\n"), OK
    for trailer in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
        yield f"trailer {trailer!r}", chunked(CHUNKS[:-2] + trailer + b"\r\n\r\n"), EITHER
    for trailer in (b"X y", b": y", b"X\x00: y"):
        yield f"trailer {trailer!r}", chunked(CHUNKS[:-2] + trailer + b"\r\n\r\n"), BAD


def hosts() -> Iterator[Case]:
    for host in (b"localhost", b"LOCALHOST", b"localhost:80", b"127.0.0.1", b"[::1]:80", b"a.localhost", b"localhost."):
        yield f"host {host!r}", get(headers=b"Host: " + host + b"\r\n"), OK
    for host in (
        b"",
        b"a b",
        b"attacker.example",
        b"localhost:x",
        b"localhost@evil",
        b"http://localhost",
        b"localhost/",
        b"[::1",
        b"localhost, localhost",
        b"\xe9",
        b"*",
        b"127.1.evil",
        b"localhost:80:80",
        b"localhost.evil",
        b"evillocalhost",
    ):
        yield f"host {host!r}", get(headers=b"Host: " + host + b"\r\n"), BAD
    yield "no host", get(headers=b""), BAD
    yield "two hosts", get(headers=b"Host: localhost\r\nHost: localhost\r\n"), BAD
    yield "two hosts of HTTP/1.0", get(b"GET /healthz/live HTTP/1.0", b"Host: localhost\r\nHost: x\r\n"), BAD
    yield "no host of HTTP/1.0", get(b"GET /healthz/live HTTP/1.0", b""), OK


def repeated() -> Iterator[Case]:
    for name in (b"Authorization", b"X-API-Key", b"Idempotency-Key", b"Content-Type", b"Content-Encoding"):
        value = {b"Content-Type": b"application/json", b"Content-Encoding": b"identity"}.get(name, b"k")
        yield f"{name!r} twice", post(b"%b: %b\r\n%b: %b\r\n" % (name, value, name.lower(), value)), BAD
    yield "Prefer twice", post(b"Prefer: wait=5\r\nPrefer: x\r\n"), OK
    yield "Async-Mode twice", post(b"Async-Mode: true\r\nAsync-Mode: false\r\n"), BAD


def media() -> Iterator[Case]:
    for value in (b"application/json", b"APPLICATION/JSON", b"application/json; charset=utf-8", b"application/a+json"):
        yield f"type {value!r}", post(head=b"Host: localhost\r\nContent-Type: " + value + b"\r\n"), OK
    for value in (
        b"",
        b"text/plain",
        b"application/json; charset=latin-1",
        b"json",
        b"application/jsonx",
        b"*/*",
        b";",
    ):
        yield f"type {value!r}", post(head=b"Host: localhost\r\nContent-Type: " + value + b"\r\n"), (415,)
    yield "no type", post(head=b"Host: localhost\r\n"), (415,)
    for coding in (b"br", b"deflate", b"gzip, gzip", b"gzip, br", b"zstd", b"x", b"identity, gzip"):
        yield f"coding {coding!r}", post(b"Content-Encoding: " + coding + b"\r\n"), (415,)
    packed = gzip.compress(BODY)
    for coding in (b"gzip", b"GZIP", b"x-gzip", b" gzip "):
        yield f"coding {coding!r}", post(b"Content-Encoding: " + coding + b"\r\n", packed), OK
    for name, body in {
        "plain": BODY,
        "cut": packed[:-1],
        "more": packed + b"x",
        "empty": b"",
        "noise": b"\x1f\x8b" * 9,
    }.items():
        yield f"gzip that is {name}", post(b"Content-Encoding: gzip\r\n", body), BAD
    bomb = gzip.compress(b"\0" * 20_000_000)
    yield "gzip that inflates to 20 MB", post(b"Content-Encoding: gzip\r\n", bomb), (413,)


def bodies() -> Iterator[Case]:
    for body in (b'{"input":"a"}', b' {"input" : "a" } \r\n', b'{"\\u0069nput": "a"}', '{"input": "é😀"}'.encode()):
        yield f"body {body!r}", post(body=body), OK
    for body in (
        b"",
        b" ",
        b"{",
        b"nul",
        b'{"input": "a"',
        b'{"input": NaN}',
        b'{"input": 01}',
        b"'a'",
        b'{"input": "a"}x',
    ):
        yield f"body {body!r}", post(body=body), BAD
    for body in (
        b'{"input": "a", "input": "b"}',
        b'{"\\u0069nput": "a", "input": "b"}',
        b'{"input": "a","input": "a"}',
    ):
        yield f"body {body!r}", post(body=body), BAD
    for body in (
        *(
            b"null",
            b"1",
            b"[]",
            b'""',
            b"{}",
            b'{"Input": "a"}',
            b'{"input": "a", "b": 1}',
            b'{"input": 1}',
            b'{"input": null}',
        ),
        *(
            b'{"input": "\\ud800"}',
            b'{"input": "\xff"}',
            b'\xef\xbb\xbf{"input": "a"}',
            '{"input": "a"}'.encode("utf-16"),
        ),
        *(b'{"input": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", b'{"input": ' + b'{"a":' * 20_000, b'{"input": 1e999}'),
    ):
        yield f"body {body[:24]!r}", post(body=body), (422,)


def offers() -> Iterator[Case]:
    for value in (b"websocket", b"h2c", b"TLS/1.0", b"x", b"websocket, h2c"):
        offer = b"Connection: Upgrade\r\nUpgrade: " + value + b"\r\n"
        yield f"upgrade to {value!r}", get(headers=b"Host: localhost\r\n" + offer), OK
        yield f"upgrade with a body to {value!r}", post(offer), OK
    yield "upgrade without Connection", get(headers=b"Host: localhost\r\nUpgrade: h2c\r\n"), OK
    for value in (b"100-continue", b"100-Continue"):
        yield f"expect {value!r}", post(b"Expect: " + value + b"\r\n"), OK
    for value in (b"x", b"", b"200-ok"):
        yield f"expect {value!r}", post(b"Expect: " + value + b"\r\n"), (200, 417)
    for value in (b"keep-alive", b"x", b"keep-alive, x", b"Upgrade"):
        yield f"connection {value!r}", get(headers=b"Host: localhost\r\nConnection: " + value + b"\r\n"), OK


CASES: list[Case] = [
    case
    for family in (
        *(
            transfer_codings,
            lengths,
            names,
            values,
            line_ends,
            request_lines,
            chunk_sizes,
            hosts,
            repeated,
            media,
            bodies,
        ),
        offers,
    )
    for case in family()
]
