"""An exception that ends one attempt of a thread, and never comes in the next one."""

import random
import subprocess
import sys
from contextlib import suppress
from threading import Event, Thread
from time import perf_counter

import pytest

from zypher.errors import PredictionStopped
from zypher.prediction import StopReason
from zypher.replica.interruption import listen_in_main_thread
from zypher.replica.running import Running
from zypher.worker.protocol import Run

ATTEMPTS = 10_000
LONGEST_S = 0.0001


def spin(span_s: float) -> None:
    until = perf_counter() + span_s
    while perf_counter() < until:
        pass


def attempt(started: list[Running], span_s: float) -> bool:
    """One attempt that is stopped at about its end; whether it was interrupted."""
    context = Running.of(Run(1, "id", 1, b""))
    try:
        try:
            context.let_stop()
            started.append(context)
            spin(span_s)
        finally:
            context.end()
    except PredictionStopped:
        context.end()
        return True
    return False


def storm() -> tuple[int, int]:
    """How many attempts of many were interrupted, and how often something came between two of them."""
    started: list[Running] = []
    over = Event()
    spans = random.Random(1)

    def stop_all() -> None:
        draws = random.Random(2)
        while not over.is_set():
            while started:
                spin(draws.uniform(0, LONGEST_S))
                started.pop().stop(StopReason.CANCELLED)

    stopper = Thread(target=stop_all)
    stopper.start()
    interrupted = late = 0
    for _ in range(ATTEMPTS):
        interrupted += attempt(started, spans.uniform(0, LONGEST_S))
        try:
            spin(LONGEST_S / 20)
        except PredictionStopped:
            late += 1
    over.set()
    stopper.join()
    return interrupted, late


def main() -> None:
    """For a process of its own: the signal's handler stays, and nothing else of the tests runs in the storm."""
    sys.setswitchinterval(0.00001)
    if sys.argv[1:] == ["main"]:
        listen_in_main_thread()
        print(*storm())
    else:
        thread = Thread(target=lambda: print(*storm()))
        thread.start()
        thread.join()


@pytest.mark.parametrize("where", ["main", "thread"])
def test_a_stop_never_reaches_the_next_attempt(where: str) -> None:
    command = [sys.executable, "-c", f"import {__name__} as it; it.main()", where]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    interrupted, late = map(int, done.stdout.split())
    assert (late, done.stderr) == (0, "")
    assert ATTEMPTS / 1000 < interrupted < ATTEMPTS


def test_an_attempt_stopped_before_it_began_is_interrupted() -> None:
    context = Running("id", 1, StopReason.CANCELLED, run=Run(1, "id", 1, b""))
    with pytest.raises(PredictionStopped):
        context.let_stop()
    context.end()


def test_an_attempt_is_interrupted_once() -> None:
    context = Running.of(Run(1, "id", 1, b""))
    context.let_stop()
    assert context.interruption is not None
    with suppress(PredictionStopped):
        assert context.interruption.interrupt()
        spin(1)
        pytest.fail("nothing was raised")
    assert not context.interruption.interrupt()
    context.end()
    context.end()


def test_an_end_that_another_exception_cut_short_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "zypher.replica.interruption.Interruption._claim"
    context = Running.of(Run(1, "id", 1, b""))
    context.let_stop()

    def claim(interruption: object, claim: object) -> bool:
        vars(interruption)["_claims"].append(claim)
        raise TimeoutError("of a signal handler")

    with monkeypatch.context() as patch:
        patch.setattr(name, claim)
        with pytest.raises(TimeoutError):
            context.end()
    context.end()
    assert context.interruption is not None
    assert not context.interruption.interrupt()
