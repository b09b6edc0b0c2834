"""Who is slow to send is cut off; who waits for an answer is not. The server's limit is one second."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import httpx

from tests.asking import predict
from tests.gate import Gate
from tests.raw_http import RawConnection
from tests.server_process import ServerProcess

HALF_A_HEADER = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Ty"
JSON_HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALF_A_BODY = JSON_HEAD + b'Content-Length: 1000\r\n\r\n{"input": "'
SILENT: list[bytes] = []
BYTE_BY_BYTE = list(repeat(b"a", 80))
SLOW_CLIENTS = {
    "nothing": (b"", SILENT),
    "half a header": (HALF_A_HEADER, SILENT),
    "half a body": (HALF_A_BODY, SILENT),
    "a header byte by byte": (HALF_A_HEADER, BYTE_BY_BYTE),
    "a body byte by byte": (HALF_A_BODY, BYTE_BY_BYTE),
}
EARLIEST_S, LATEST_S = 0.8, 5.0


def test_slow_senders_are_cut_off(gated_server: ServerProcess) -> None:
    with ThreadPoolExecutor(len(SLOW_CLIENTS)) as pool:
        lives = {name: pool.submit(_life_s, gated_server.url, *sent) for name, sent in SLOW_CLIENTS.items()}
    lives_s = {name: life.result() for name, life in lives.items()}
    assert {name: life_s for name, life_s in lives_s.items() if not EARLIEST_S <= life_s < LATEST_S} == {}


def test_waiting_and_idle_clients_are_not_cut_off(gated: httpx.Client, gate: Gate) -> None:
    resting = b"HEAD /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with RawConnection(str(gated.base_url)) as connection:
        connection.send(resting)
        assert connection.receive_status() == 200
        waiting = predict(gated, gate.input("a"), {"Prefer": "wait=2"})  # twice as long as a client may take to send
        assert waiting.status_code == 202
        connection.send(resting)
        assert connection.receive_status() == 200


def _life_s(url: str, beginning: bytes, rest: Iterable[bytes]) -> float:
    """How long the server bears with a client that sends this."""
    with RawConnection(url) as connection:
        began = time.monotonic()
        connection.send(beginning)
        connection.drip(rest, pause_s=0.1)
        connection.receive()
        return time.monotonic() - began
