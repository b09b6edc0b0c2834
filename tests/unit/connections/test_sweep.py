"""One timer for all connections, and none without them."""

import asyncio
from typing import cast

import pytest

from tests.fake_clock import FakeClock, eventually
from tests.unit.connections.conftest import Served
from tests.unit.connections.test_connection import LIVE, POST
from tests.unit.connections.wire import wire_to
from tests.unit.http.conftest import Service
from tests.unit.http.scripted_engine import succeeded
from zypher.access.budget import Budget
from zypher.connections.sweep import Sweep
from zypher.connections.unread import UnreadResponses
from zypher.settings import HttpSettings

READ_S = 30.0
EVERY_S = 1.0


class Connection:
    def __init__(self) -> None:
        self.deadline_s = 0.0
        self.expired = 0

    def expire(self) -> None:
        self.expired += 1


@pytest.fixture
def sweep(clock: FakeClock) -> Sweep:
    settings = HttpSettings(read_timeout_s=READ_S)
    return Sweep(settings, clock, UnreadResponses(Budget(1), clock, READ_S))


def test_without_connections_there_is_no_timer(sweep: Sweep, clock: FakeClock) -> None:
    connection = Connection()
    assert clock.pending == 0
    sweep.join(connection)
    sweep.join(Connection())
    assert clock.pending == 1
    for each in list(sweep.connections):
        sweep.leave(each)
    clock.advance(EVERY_S)
    assert clock.pending == 0


def test_after_a_rest_deadlines_are_those_of_the_time(sweep: Sweep, clock: FakeClock) -> None:
    first = Connection()
    sweep.join(first)
    sweep.leave(first)
    clock.advance(1_000)
    second = Connection()
    sweep.join(second)
    assert second.deadline_s >= clock.monotonic() + READ_S


def test_a_connection_expires_late_but_never_early(sweep: Sweep, clock: FakeClock) -> None:
    sweep.join(Connection())
    clock.advance(EVERY_S * 0.9)  # the reading that deadlines are made of is old by now
    connection = Connection()
    sweep.join(connection)
    clock.advance(READ_S - 0.01)
    assert connection.expired == 0
    clock.advance(2 * EVERY_S)
    assert connection.expired


async def test_a_stop_waits_for_the_last_connection(sweep: Sweep) -> None:
    first, last = Connection(), Connection()
    sweep.join(first)
    sweep.join(last)
    emptied = asyncio.create_task(sweep.emptied(60))
    sweep.leave(first)
    await asyncio.sleep(0)
    assert not emptied.done()
    sweep.leave(last)
    await asyncio.wait_for(emptied, 10)


async def test_a_stopped_sweep_leaves_no_timer(sweep: Sweep, clock: FakeClock) -> None:
    sweep.join(Connection())
    sweep.stop()
    assert clock.pending == 0


async def test_requests_need_no_timer_of_their_own(server: Served, service: Service, clock: FakeClock) -> None:
    async with wire_to(server) as idle, wire_to(server) as busy:
        await idle.ask(LIVE)
        await busy.send(POST)
        await eventually(lambda: service.engine.waiting)
        assert clock.pending == 1
        service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
        await busy.reply()
        assert clock.pending == 1


async def test_a_request_that_waits_has_one_task(server: Served, service: Service) -> None:
    async with wire_to(server) as busy:
        before = asyncio.all_tasks()
        await busy.send(POST)
        await eventually(lambda: service.engine.waiting)
        tasks = asyncio.all_tasks() - before
        assert len(tasks) == 1, [cast("object", task.get_coro()) for task in tasks]
        service.engine.end(service.engine.only.prediction_id, succeeded(b"1"))
        await busy.reply()
    await eventually(lambda: asyncio.all_tasks() <= before)
