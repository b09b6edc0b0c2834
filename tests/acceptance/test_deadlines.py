"""Who is slow to send is cut off; who waits for an answer is not. The server's limit is one second."""

import time
from itertools import repeat

import httpx
import pytest

from tests.asking import predict
from tests.gate import Gate
from tests.raw_http import RawConnection
from tests.server_process import ServerProcess

HALF_A_HEADER = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Ty"
HALF_A_BODY = (
    b'POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"input": "'
)
EARLIEST_S, LATEST_S = 0.8, 5.0


@pytest.mark.parametrize(
    "beginning", [b"", HALF_A_HEADER, HALF_A_BODY], ids=["nothing", "half a header", "half a body"]
)
def test_a_client_that_stops_sending_is_cut_off(gated_server: ServerProcess, beginning: bytes) -> None:
    with RawConnection(gated_server.url) as connection:
        began = time.monotonic()
        connection.send(beginning)
        connection.receive()
        assert EARLIEST_S <= time.monotonic() - began < LATEST_S


@pytest.mark.parametrize("beginning", [HALF_A_HEADER, HALF_A_BODY], ids=["header", "body"])
def test_a_client_that_sends_a_byte_at_a_time_is_cut_off(gated_server: ServerProcess, beginning: bytes) -> None:
    with RawConnection(gated_server.url) as connection:
        began = time.monotonic()
        connection.send(beginning)
        connection.drip(repeat(b"a", 80), pause_s=0.1)
        connection.receive()
        assert EARLIEST_S <= time.monotonic() - began < LATEST_S


def test_a_client_that_waits_for_its_answer_is_not_cut_off(gated: httpx.Client, gate: Gate) -> None:
    answer = predict(gated, gate.input("a"), {"Prefer": "wait=2"})  # twice as long as it may take to send
    assert answer.status_code == 202


def test_an_idle_connection_may_send_again_later(gated: httpx.Client, gate: Gate) -> None:
    with RawConnection(str(gated.base_url)) as connection:
        for _ in range(2):
            connection.send(b"HEAD /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.receive_head().startswith(b"HTTP/1.1 200 ")
            predict(gated, gate.input("a"), {"Prefer": "wait=2"})
