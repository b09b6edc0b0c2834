"""A server on a free port that gives the answers it was told, the last one for ever, and keeps what it was asked."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer


@dataclass(frozen=True)
class Scripted:
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Script:
    url: str
    asked: list[Asked]
    news: threading.Condition  # of `asked`

    def await_asked(self, count: int) -> None:
        """Return once that many requests have come."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.asked) >= count, timeout=20)


HANG_UP = Scripted(0, "")  # closes the connection instead of answering
SILENCE = Scripted(0, " ")  # does neither until the test is over


def accepted(position: int = 1) -> Scripted:
    headers = {"Prediction-Id": "abc123", "Queue-Position": str(position), "Retry-After": "7"}
    body = '{"message": "Request received. Processing asynchronously.", "prediction_id": "abc123"}'
    return Scripted(202, body, headers | {"Location": "/predict/abc123"})


def pending(position: int = 0) -> Scripted:
    headers = {"Prediction-Id": "abc123", "Queue-Position": str(position), "Retry-After": "1"}
    return Scripted(400, '{"error": "Prediction is still being processed."}', headers)


def succeeded(output: str) -> Scripted:
    return Scripted(200, f'{{"prediction_id": "abc123", "output": {output}}}', {"Prediction-Id": "abc123"})


def problem(status: int, error: str, **headers: str) -> Scripted:
    return Scripted(status, json.dumps({"error": error}), {name.replace("_", "-"): headers[name] for name in headers})


@contextmanager
def serving(*answers: Scripted) -> Generator[Script]:
    """Answer with each of `answers` in turn; leaves no thread and no socket behind."""
    waiting = list(answers)
    asked: list[Asked] = []
    news = threading.Condition()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with news:
                asked.append(Asked(self.command, self.path, headers, body))
                news.notify_all()
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if answer is SILENCE:
                over.wait()
            if answer in (HANG_UP, SILENCE):
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    for method in ("GET", "POST"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield Script(f"http://127.0.0.1:{server.server_port}", asked, news)
        finally:
            over.set()
            server.shutdown()
            thread.join()
