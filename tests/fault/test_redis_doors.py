"""Every kind of address of a Redis, and every refusal at its door."""

import asyncio
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.proxy import Proxy
from tests.command import zypher
from tests.contract.phrases import MODEL, SUCCEEDED, get, message, receive_one, settle_one, submit_many, submit_one
from tests.free_port import free_port
from tests.redis_client import RedisClient, redis_client
from tests.redis_server import RedisServer, no_redis, redis_program
from zypher.clock import SystemClock
from zypher.engines.connect import connect
from zypher.engines.contract import Engine
from zypher.engines.redis_streams.connection.handshake import check_version
from zypher.errors import EngineError, EngineUnavailable
from zypher.settings import EngineSettings

BACK_S = 5.0


@pytest.fixture(autouse=True)
def a_redis() -> None:
    if redis_program() is None:
        no_redis()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


def engine_at(url: str) -> Engine:
    return connect(EngineSettings(engine=url), SystemClock())


async def work(url: str) -> None:
    """One prediction from its submit to its end."""
    engine = engine_at(url)
    await engine.open()
    try:
        (prediction_id,) = await submit_many(engine, 1)
        waiter = asyncio.create_task(engine.get(prediction_id, 10))
        assert await settle_one(engine, await receive_one(engine), SUCCEEDED)
        ended = await waiter
        assert ended is not None
        assert ended.outcome == SUCCEEDED
    finally:
        await engine.close()


async def turned_away(url: str) -> str:
    """The message of a start that is refused."""
    with pytest.raises(EngineError) as refused:
        await engine_at(url).open()
    assert "hush" not in str(refused.value)
    return str(refused.value)


class Certificates:
    """An authority of our own, and what it signed for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.authority, self.authority_key = folder / "ca.pem", folder / "ca.key"
        self.certificate, self.key = folder / "redis.pem", folder / "redis.key"
        days = ("-days", "2", "-nodes", "-newkey", "rsa:2048")
        _openssl("req", "-x509", *days, *_paths(self.authority_key, self.authority), "-subj", "/CN=test authority")
        _openssl(
            *("req", "-x509", *days, *_paths(self.key, self.certificate), "-subj", "/CN=redis"),
            *("-CA", str(self.authority), "-CAkey", str(self.authority_key)),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"),
        )


def _paths(key: Path, certificate: Path) -> tuple[str, ...]:
    return ("-keyout", str(key), "-out", str(certificate))


def _openssl(*arguments: str) -> None:
    subprocess.run(("openssl", *arguments), check=True, capture_output=True)


async def test_tls(tmp_path: Path) -> None:
    certificates, port = Certificates(tmp_path), free_port()
    options = (
        *("--tls-port", str(port), "--tls-auth-clients", "optional", "--tls-ca-cert-file", str(certificates.authority)),
        *("--tls-cert-file", str(certificates.certificate), "--tls-key-file", str(certificates.key)),
    )
    with RedisServer(tmp_path / "redis", *options, password="hush") as server:
        url = f"rediss://:hush@127.0.0.1:{port}/0"
        ours = f"ssl_certfile={certificates.certificate}&ssl_keyfile={certificates.key}"
        await work(f"{url}?ssl_ca_certs={certificates.authority}")
        await work(f"{url}?ssl_ca_certs={certificates.authority}&{ours}")
        await work(f"{url}?ssl_cert_reqs=none&ssl_check_hostname=false")
        assert "certificate is not trusted; name the authority" in await turned_away(url)
        for wrong in (f"rediss://127.0.0.1:{server.port}", f"redis://127.0.0.1:{port}"):
            assert "rediss:// is with TLS, redis:// without" in await turned_away(wrong)


async def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer(tmp_path / "redis", "--unixsocket", str(path), password="hush"):
        await work(f"unix://:hush@{path}?db=3&prefix=mine")
    assert f"unix://{path} cannot be reached" in await turned_away(f"unix://:hush@{path}")


async def test_a_user_and_a_password_that_needs_quoting(server: RedisServer, redis: RedisClient) -> None:
    redis.execute_command("ACL", "SETUSER", "me", "on", ">h/u?s#h@", "~*", "&*", "+@all")
    await work(f"redis://me:h%2Fu%3Fs%23h%40@127.0.0.1:{server.port}/2")
    assert "password" in await turned_away(f"redis://me:h%2Fu%3Fs%23h@127.0.0.1:{server.port}/2")


async def test_a_user_without_permission(server: RedisServer, redis: RedisClient) -> None:
    redis.execute_command("ACL", "SETUSER", "me", "on", ">hush", "~*", "&*", "+@all", "-info")
    url = f"redis://me:hush@127.0.0.1:{server.port}/0"
    assert "may not do what the engine needs" in await turned_away(url)
    redis.execute_command("ACL", "SETUSER", "me", "+info", "-@scripting")
    engine = engine_at(url)
    await engine.open()
    with pytest.raises(EngineUnavailable, match="allow it scripts, streams and pub/sub"):
        await submit_one(engine, message(), durable=True)
    redis.execute_command("ACL", "SETUSER", "me", "+@all")
    await accepted_again(engine)
    await engine.close()


async def test_a_password_that_is_changed_while_we_run(server: RedisServer, redis: RedisClient) -> None:
    engine = engine_at(server.url)
    await engine.open()
    redis.execute_command("CONFIG", "SET", "requirepass", "hush")
    redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    with pytest.raises(EngineUnavailable, match=r"Redis asks for a password|cannot be reached"):
        await submit_one(engine, message(), durable=True)
    async with asyncio.timeout(BACK_S):
        while "asks for a password" not in await refused(engine):
            await asyncio.sleep(0.01)
    redis.execute_command("CONFIG", "SET", "requirepass", "")
    await accepted_again(engine)
    await engine.close()


async def test_a_redis_that_cannot_save(server: RedisServer, redis: RedisClient, tmp_path: Path) -> None:
    engine = engine_at(server.url)
    await engine.open()
    (prediction_id,) = await submit_many(engine, 1)
    delivery = await receive_one(engine)
    (tmp_path / "redis" / "dump.rdb").mkdir()
    redis.execute_command("CONFIG", "SET", "save", "3600 1")
    redis.execute_command("BGSAVE")
    async with asyncio.timeout(BACK_S):
        while "cannot save to its disk" not in await refused(engine):
            await asyncio.sleep(0.05)
    settle = asyncio.create_task(settle_one(engine, delivery, SUCCEEDED))
    assert "cannot save to its disk" in await turned_away_or_in(server.url)
    redis.execute_command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    async with asyncio.timeout(BACK_S):
        assert await settle
    assert (await get(engine, prediction_id)).outcome == SUCCEEDED
    await engine.close()
    redis.execute_command("CONFIG", "SET", "save", "")  # else it would not end before it has saved


async def test_while_redis_loads_its_data_a_start_waits(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    with server, server.client() as client:
        for number in range(200):
            client.execute_command("SET", f"key {number}", secrets.token_bytes(2000))
        client.execute_command("SAVE")
        server.kill()
        # A test's way to a slow start: so many microseconds for each key, and a look at the clients between them.
        slowly = ("--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024")
        server.launch("--appendonly", "no", *slowly)
        async with asyncio.timeout(BACK_S):
            while not await loading(server.url):
                await asyncio.sleep(0.01)
        await work(server.url)


async def loading(url: str) -> bool:
    """Whether a Redis is there that loads its data; fails when it is ready already."""
    client = redis_client(url)
    try:
        client.ping()
    except OSError:
        return False
    except Exception as error:
        return type(error).__name__ == "BusyLoadingError"
    finally:
        client.close()
    pytest.fail("It was ready before it could be asked.")


@pytest.mark.parametrize(
    ("version", "old"), [("6.0.16", True), ("6.2.0", False), ("8.0", False), ("5", True), ("", True)]
)
def test_a_version_is_old_or_not(version: str, old: bool) -> None:
    if not old:
        check_version(version, "redis://host")
        return
    with pytest.raises(EngineError, match=r"needs Redis 6\.2 or later, or Valkey"):
        check_version(version, "redis://host")


async def test_a_redis_that_is_too_old_is_left_alone(server: RedisServer, redis: RedisClient) -> None:
    async with Proxy(server.port) as proxy:
        proxy.rewrite = lambda answer: re.sub(rb"(redis_version:)\d", rb"\g<1>5", answer)
        reason = await turned_away(f"redis://127.0.0.1:{proxy.port}/0")
    assert re.search(r" is 5\.\S+; the engine needs Redis 6\.2 or later, or Valkey\.", reason)
    assert redis.keys("*") == []


async def test_what_is_no_redis(server: RedisServer) -> None:
    async with Proxy(server.port) as proxy:
        proxy.rewrite = lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n"
        assert "cannot be reached" in await turned_away(f"redis://127.0.0.1:{proxy.port}/0")


async def test_a_redis_without_a_free_connection(server: RedisServer, redis: RedisClient) -> None:
    redis.execute_command("CONFIG", "SET", "maxclients", "1")
    assert "it takes no more connections; raise its maxclients" in await turned_away(server.url)


@pytest.mark.parametrize("command", ["serve", "worker", "queue"])
def test_a_start_that_fails_is_one_sentence_without_the_password(command: str, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis", password="secret") as server:
        url = server.url.replace("secret", "hush")
        ended = zypher(command, "--engine", url, *(("--port", "0") if command == "serve" else ()), cwd=tmp_path)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("zypher: ")
    assert "does not know this user and password" in line
    assert "hush" not in ended.stdout + ended.stderr


async def refused(engine: Engine) -> str:
    """The message of a submission that is refused, "" when it is accepted."""
    try:
        await submit_one(engine, message(), durable=True)
    except EngineUnavailable as error:
        return str(error)
    return ""


async def turned_away_or_in(url: str) -> str:
    """The message at the start or of the first submission."""
    engine = engine_at(url)
    await engine.open()
    try:
        return await refused(engine)
    finally:
        await engine.close()


async def accepted_again(engine: Engine) -> None:
    """Return once submissions are accepted and nothing is in the way."""
    async with asyncio.timeout(BACK_S):
        while await refused(engine) or (await engine.queues(MODEL))[MODEL].problem:
            await asyncio.sleep(0.05)
