"""An engine in one place, its operator in another."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.contract.phrases import LOST, settle_one, submit_one
from tests.fake_clock import FakeClock
from tests.unit.http.scripted_engine import CARD
from zypher.client.operators import OperatorClient
from zypher.connections.server import HttpServer
from zypher.engines.embedded.engine import EmbeddedEngine
from zypher.engines.embedded.memory.journal import MemoryJournal
from zypher.errors import EngineUnavailable, ListenError, ModelInUse
from zypher.http.app import Application
from zypher.http.operators import OPERATOR_SETTINGS, operator_routes
from zypher.operations.dead_letters import dead_letter, dead_letters
from zypher.prediction import Failure, FailureKind, Message, Outcome, Status
from zypher.queue_state import WorkerState
from zypher.service.sockets import Address, close_listener, listen
from zypher.socket_path import short_path
from zypher.telemetry.access_log import AccessLog
from zypher.telemetry.metrics import Metrics

RAISED = Outcome(Status.FAILED, failure=Failure(FailureKind.MODEL_ERROR, "ValueError: no"))
LIMIT = 2


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def engine(clock: FakeClock) -> AsyncIterator[EmbeddedEngine]:
    engine = EmbeddedEngine(MemoryJournal(clock), clock, queue_limit=LIMIT, retention_s=60, lease_s=30)
    await engine.open()
    yield engine
    await engine.close()


@pytest.fixture(params=["operations.sock", "deep"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Of a socket, also of one that is longer than the system takes."""
    folder = tmp_path / "/".join(["deep" * 10] * 5) if request.param == "deep" else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "operations.sock"


@pytest.fixture
async def remote(engine: EmbeddedEngine, path: Path, clock: FakeClock) -> AsyncIterator[OperatorClient]:
    address = Address(path=path, mode=0o600)
    listener = listen(address)
    app = Application(operator_routes(engine), OPERATOR_SETTINGS, clock, AccessLog(Metrics(), None))
    server = HttpServer(app, OPERATOR_SETTINGS, clock)
    await server.start(listener)
    yield OperatorClient(path)
    await server.stop(0)
    close_listener(listener, address)


async def end(engine: EmbeddedEngine, clock: FakeClock, prediction_id: str, outcome: Outcome) -> None:
    """Submit a prediction and let it end so."""
    await submit_one(engine, Message(prediction_id, "m", b'"caf\xc3\xa9"', clock.now()), durable=True)
    (delivery,) = await engine.receive("m", 1, 0)
    assert await settle_one(engine, delivery, outcome)


async def test_operator_responses_equal_the_engines(
    engine: EmbeddedEngine, remote: OperatorClient, clock: FakeClock
) -> None:
    await engine.announce(WorkerState("w", "m", CARD, 1, 1, 1, announced_at=clock.now()))
    await end(engine, clock, "a", LOST)
    await end(engine, clock, "b", Outcome(Status.SUCCEEDED, output=b'"\xc3\xa9"'))
    await submit_one(engine, Message("c", "m", b"1", clock.now()), durable=True)
    assert await remote.queues() == await engine.queues() == await remote.queues("m")
    assert list(await remote.queues()) == ["m"]
    assert await remote.dead("m", 10) == await engine.dead("m", 10)
    for prediction_id in ("a", "b", "c", "unknown"):
        assert await remote.get(prediction_id) == await engine.get(prediction_id)


async def test_what_the_operator_does_is_done(engine: EmbeddedEngine, remote: OperatorClient, clock: FakeClock) -> None:
    await end(engine, clock, "a", LOST)
    await end(engine, clock, "b", LOST)
    assert [letter.prediction_id for letter in await dead_letters(remote)] == ["a", "b"]
    assert await remote.replay("a")
    assert not await remote.replay("a")
    assert await remote.purge("b")
    assert not await remote.purge("b")
    assert await dead_letters(remote) == []
    assert (await engine.queues())["m"].queued == 1


async def test_a_model_is_forgotten_unless_it_is_in_use(
    engine: EmbeddedEngine, remote: OperatorClient, clock: FakeClock
) -> None:
    await engine.announce(WorkerState("w", CARD.name, CARD, 1, 1, 1))
    with pytest.raises(ModelInUse, match="served by 1 worker"):
        await remote.forget(CARD.name)
    clock.advance(30)
    assert await remote.forget(CARD.name)
    assert not await remote.forget(CARD.name)
    assert await remote.queues() == {}


async def test_only_what_lost_its_workers_is_a_dead_letter(
    engine: EmbeddedEngine, remote: OperatorClient, clock: FakeClock
) -> None:
    await end(engine, clock, "lost", LOST)
    await end(engine, clock, "raised", RAISED)
    assert await dead_letter(remote, "lost") is not None
    assert await dead_letter(remote, "raised") is None
    assert await dead_letter(remote, "unknown") is None


async def test_a_full_queue_is_reported(engine: EmbeddedEngine, remote: OperatorClient, clock: FakeClock) -> None:
    await end(engine, clock, "a", LOST)
    for number in range(LIMIT):
        await submit_one(engine, Message(str(number), "m", b"1", clock.now()), durable=True)
    with pytest.raises(EngineUnavailable, match="as many as may"):
        await remote.replay("a")


async def test_an_unavailable_engine_is_reported(
    engine: EmbeddedEngine, remote: OperatorClient, clock: FakeClock
) -> None:
    await engine.close()
    with pytest.raises(EngineUnavailable, match="stopping"):
        await remote.queues()


async def test_a_server_that_has_gone_is_reported(tmp_path: Path) -> None:
    remote = OperatorClient(tmp_path / "nothing")
    assert not await remote.answers()
    with pytest.raises(EngineUnavailable, match="No server answers"):
        await remote.queues()


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/dead-letters", 400),
        ("DELETE", "/models", 400),
        ("DELETE", "/models?model=unknown", 404),
        ("GET", "/dead-letters?model=m&limit=x", 400),
        ("GET", "/dead-letters/unknown", 404),
        ("POST", "/dead-letters/unknown/replay", 404),
        ("DELETE", "/dead-letters/unknown", 404),
        ("POST", "/queues", 405),
        ("POST", "/dead-letters/a/b/replay", 404),
        ("GET", "/predict/unknown", 404),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    remote: OperatorClient, path: Path, method: str, target: str, status: int
) -> None:
    with short_path(path) as socket:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=socket)) as http:
            response = await http.request(method, "http://localhost" + target)
    assert response.status_code == status
    assert response.json()["error"]
    assert await remote.answers()


def test_a_socket_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    address = Address(path=tmp_path / "socket")
    with listen(address), pytest.raises(ListenError, match="in use"):
        listen(address)


def test_a_file_at_the_path_of_a_socket_is_kept(tmp_path: Path) -> None:
    (tmp_path / "socket").write_text("mine")
    with pytest.raises(ListenError, match="is not a socket"):
        listen(Address(path=tmp_path / "socket"))
    assert (tmp_path / "socket").read_text() == "mine"


def test_what_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    address = Address(path=tmp_path / "socket")
    listen(address).close()
    with listen(address):
        pass
    assert (tmp_path / "socket").exists()
