"""What of uvicorn's insides is used here. When one of these fails, look at http/connection.py before anything else."""

import asyncio
import inspect
import re
from importlib.metadata import version

import pytest
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from tests.source import ROOT

APP = "tests.uvicorn_server:app"  # is never called


async def protocol() -> HttpToolsProtocol:
    config = Config(APP, factory=True, http="httptools", log_config=None)
    return HttpToolsProtocol(config, ServerState(), {}, asyncio.get_running_loop())


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("uvicorn").startswith("0.54.")
    assert re.search(r'"uvicorn>=0\.54[\d.]*,<0\.55"', (ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize(
    "name",
    [
        *("app", "access_logger", "connections", "cycle", "expect_100_continue", "flow", "headers", "logger", "loop"),
        *("parser", "pipeline", "root_path", "scheme", "scope", "server_state", "tasks", "transport"),
    ],
)
async def test_a_protocol_has(name: str) -> None:
    assert hasattr(await protocol(), name)


@pytest.mark.parametrize(
    "name",
    [
        *("connection_made", "connection_lost", "data_received", "eof_received", "pause_writing", "resume_writing"),
        *("on_message_begin", "on_url", "on_header", "on_headers_complete", "on_body", "on_message_complete"),
        *("on_response_complete", "shutdown", "_start_asgi_task"),
    ],
)
def test_a_protocol_can(name: str) -> None:
    assert callable(getattr(HttpToolsProtocol, name))


def test_a_cycle_is_made_of_these_in_this_order() -> None:
    assert list(inspect.signature(RequestResponseCycle).parameters) == [
        *("scope", "transport", "flow", "logger", "access_logger", "access_log", "default_headers", "message_event"),
        *("expect_100_continue", "keep_alive", "on_response"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "body",
            "disconnected",
            "keep_alive",
            "message_event",
            "more_body",
            "response_complete",
            "response_started",
            "scope",
        ),
        "waiting_for_100_continue",
    ],
)
def test_a_cycle_has_the_attribute(name: str) -> None:
    assert f"self.{name} = " in inspect.getsource(RequestResponseCycle.__init__)


@pytest.mark.parametrize("name", ["drain", "pause_reading", "resume_reading", "pause_writing", "resume_writing"])
def test_flow_control_can(name: str) -> None:
    assert callable(getattr(FlowControl, name))


def test_the_state_of_a_server_is_shared() -> None:
    state = ServerState()
    assert (state.connections, state.tasks, state.default_headers) == (set(), set(), [])


def test_headers_go_into_the_list_that_a_request_begins_with() -> None:
    assert "self.headers.append" in inspect.getsource(HttpToolsProtocol.on_header)
    assert '"headers": self.headers' in inspect.getsource(HttpToolsProtocol.on_message_begin)


def test_a_body_that_is_not_read_pauses_the_client() -> None:
    assert "pause_reading" in inspect.getsource(HttpToolsProtocol.on_body)
    assert "resume_reading" in inspect.getsource(RequestResponseCycle.receive)


def test_what_an_answered_request_still_sends_is_dropped() -> None:
    for method in (HttpToolsProtocol.on_body, HttpToolsProtocol.on_message_complete):
        assert "response_complete" in inspect.getsource(method)
