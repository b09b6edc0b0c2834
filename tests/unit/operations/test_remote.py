"""An engine in one place, its operator in another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.phrases import LOST
from tests.fake_clock import FakeClock
from tests.unit.http.memory_engine import CARD, MemoryEngine
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.errors import EngineUnavailable, QueueFull
from zypher.operations.dead import dead_letter, dead_letters
from zypher.operations.remote import RemoteOperations
from zypher.operations.server import OperationsServer
from zypher.prediction import Failure, FailureKind, Message, Outcome, Status
from zypher.presence import Presence

RAISED = Outcome(Status.FAILED, failure=Failure(FailureKind.MODEL_ERROR, "ValueError: no"))
LIMIT = 2


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def engine(tmp_path: Path, clock: FakeClock) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(tmp_path / "data", clock, queue_limit=LIMIT, retention_s=60, lease_s=30)
    await engine.open()
    yield engine
    await engine.close()


@pytest.fixture
async def remote(engine: EmbeddedEngine, tmp_path: Path) -> AsyncIterator[RemoteOperations]:
    server = OperationsServer(engine, tmp_path / "socket")
    await server.start()
    yield RemoteOperations(tmp_path / "socket")
    await server.stop()


async def end(engine: EmbeddedEngine, clock: FakeClock, prediction_id: str, outcome: Outcome) -> None:
    """Submit a prediction and let it end so."""
    await engine.submit(Message(prediction_id, "m", b'"caf\xc3\xa9"', clock.now()), durable=True)
    (delivery,) = await engine.receive("m", 1, 0)
    assert await engine.settle(delivery, outcome)


async def test_what_the_engine_says_arrives_unchanged(
    engine: EmbeddedEngine, remote: RemoteOperations, clock: FakeClock
) -> None:
    await engine.announce(Presence("w", "m", CARD, 1, 1, 1, announced_at=clock.now()))
    await end(engine, clock, "a", LOST)
    await end(engine, clock, "b", Outcome(Status.SUCCEEDED, output=b'"\xc3\xa9"'))
    await engine.submit(Message("c", "m", b"1", clock.now()), durable=True)
    assert await remote.depths() == await engine.depths() == await remote.depths("m")
    assert list(await remote.depths()) == ["m"]
    assert await remote.dead("m", 10) == await engine.dead("m", 10)
    for prediction_id in ("a", "b", "c", "unknown"):
        assert await remote.get(prediction_id) == await engine.get(prediction_id)


async def test_what_the_operator_does_is_done(
    engine: EmbeddedEngine, remote: RemoteOperations, clock: FakeClock
) -> None:
    await end(engine, clock, "a", LOST)
    await end(engine, clock, "b", LOST)
    assert [letter.prediction_id for letter in await dead_letters(remote)] == ["a", "b"]
    assert await remote.replay("a")
    assert not await remote.replay("a")
    assert await remote.purge("b")
    assert not await remote.purge("b")
    assert await dead_letters(remote) == []
    assert (await engine.depths())["m"].queued == 1


async def test_only_what_lost_its_workers_is_a_dead_letter(
    engine: EmbeddedEngine, remote: RemoteOperations, clock: FakeClock
) -> None:
    await end(engine, clock, "lost", LOST)
    await end(engine, clock, "raised", RAISED)
    assert await dead_letter(remote, "lost") is not None
    assert await dead_letter(remote, "raised") is None
    assert await dead_letter(remote, "unknown") is None


async def test_a_full_queue_is_said(engine: EmbeddedEngine, remote: RemoteOperations, clock: FakeClock) -> None:
    await end(engine, clock, "a", LOST)
    for number in range(LIMIT):
        await engine.submit(Message(str(number), "m", b"1", clock.now()), durable=True)
    with pytest.raises(QueueFull):
        await remote.replay("a")


async def test_an_engine_that_is_away_is_said(
    engine: EmbeddedEngine, remote: RemoteOperations, clock: FakeClock
) -> None:
    await engine.close()
    with pytest.raises(EngineUnavailable, match="stopping"):
        await remote.depths()


async def test_a_server_that_is_gone_is_said(tmp_path: Path) -> None:
    remote = RemoteOperations(tmp_path / "nothing")
    assert not await remote.answers()
    with pytest.raises(EngineUnavailable, match="No server answers"):
        await remote.depths()


async def test_nonsense_is_not_answered_and_harms_nobody(remote: RemoteOperations, tmp_path: Path) -> None:
    for nonsense in (b"", b"nonsense\n", b'{"type":"drop"}\n', b"x" * 100_000 + b"\n"):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        writer.write(nonsense)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert await remote.answers()


async def test_a_path_too_long_for_a_socket_is_no_reason_not_to_serve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = OperationsServer(MemoryEngine(FakeClock()), tmp_path / ("long" * 50))
    await server.start()
    await server.stop()
    assert "will not find this server" in caplog.text
