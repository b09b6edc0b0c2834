"""A replica's process, as its worker meets it: where the model runs, and how its attempts end."""

import asyncio
from pathlib import Path

import pytest

from tests.running_replica import StartReplica
from zypher.prediction import Event, EventKind, FailureKind, StopReason
from zypher.worker.attempt import Attempt, Lost
from zypher.worker.protocol import Failed, Stopped, Succeeded

WHERE = """
    import asyncio, sys, threading
    try:
        asyncio.get_running_loop()
        LOOP_AT_IMPORT = True
    except RuntimeError:
        LOOP_AT_IMPORT = False

    class Model:
        def __init__(self):
            asyncio.run(asyncio.sleep(0))
            self.places = [threading.current_thread() is threading.main_thread()]

        def setup(self):
            self.places.append(threading.current_thread() is threading.main_thread())

        {kind} predict(self, _: object):
            self.places.append(threading.current_thread() is threading.main_thread())
            return [LOOP_AT_IMPORT, self.places, sys.argv, sys.modules["__main__"].__file__]
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_a_model_runs_in_the_main_thread(start: StartReplica, tmp_path: Path, kind: str) -> None:
    running = await start(WHERE.format(kind=kind))
    file = str(tmp_path / "model.py")
    assert await running.run() == [False, [True, True, True], [file], file]


async def test_signals_and_event_loops_work_in_a_prediction(start: StartReplica) -> None:
    running = await start("""
        import asyncio, signal, time
        class Model:
            def predict(self, _: object):
                def late(number, frame): raise TimeoutError("too late")
                signal.signal(signal.SIGALRM, late)
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                try:
                    while True: time.sleep(0.01)
                except TimeoutError as error:
                    return [str(error), asyncio.run(asyncio.sleep(0, "ran"))]
    """)
    assert await running.run() == ["too late", "ran"]


async def test_an_alarm_that_is_left_set_harms_no_later_prediction(start: StartReplica) -> None:
    running = await start("""
        import signal
        class Model:
            def predict(self, x: int):
                def late(number, frame): raise TimeoutError("too late")
                signal.signal(signal.SIGALRM, late)
                signal.setitimer(signal.ITIMER_REAL, 0.05 if x == 1 else 0)
                return x
    """)
    assert await running.run(1) == 1
    await asyncio.sleep(0.1)  # the alarm is the model's own, and goes off between two predictions
    assert await running.run(2) == 2


async def test_more_slots_of_a_def_are_threads(start: StartReplica) -> None:
    running = await start("""
        import threading
        barrier = threading.Barrier(3)
        class Model:
            concurrency = 3
            def predict(self, x: int): return [x, barrier.wait(10) >= 0]
    """)
    attempts = [running.begin(number) for number in range(3)]
    endings = [await running.ending(attempt) for attempt in attempts]
    assert [ending.output for ending in endings if isinstance(ending, Succeeded)] == [
        b"[0,true]",
        b"[1,true]",
        b"[2,true]",
    ]


async def test_without_more_threads_attempts_share_those_that_are_there(start: StartReplica) -> None:
    running = await start("""
        import threading
        def refuse(_): raise RuntimeError("can't start new thread")
        class Model:
            concurrency = 10
            def setup(self): threading.Thread.start = refuse
            def predict(self, x: int): return x
    """)
    attempts = [running.begin(number) for number in range(10)]
    assert all([isinstance(await running.ending(attempt), Succeeded) for attempt in attempts])


@pytest.mark.parametrize(
    "statement",
    [
        "raise SystemExit(4)",
        "raise KeyboardInterrupt",
        "class Odd(Exception):\n            def __str__(self): raise SystemExit(3)\n        raise Odd",
        "def fall():\n            fall()\n        fall()",
        """
        error = ValueError('first')
        for n in range(3_000):
            more = ValueError(n)
            more.__cause__ = error
            error = more
        raise error""",
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_whatever_a_model_raises_its_attempt_fails(start: StartReplica, kind: str, statement: str) -> None:
    running = await start(f"class Model:\n    {kind} predict(self, x: object):\n        {statement}\n")
    for _ in range(2):
        ending = await running.ending(running.begin(1))
        assert isinstance(ending, Failed)
        assert ending.message
        assert len(ending.details) < 200_000


async def test_an_output_beyond_the_limit_is_a_failure(start: StartReplica) -> None:
    running = await start("class Model:\n    def predict(self, x: int): return 'x' * x", most_bytes=1_000)
    assert await running.run(998) == "x" * 998
    ending = await running.ending(running.begin(999))
    assert isinstance(ending, Failed)
    assert ending.kind is FailureKind.INVALID_OUTPUT
    assert "has 1001 bytes and may have 1000 (--max-output-bytes)" in ending.message


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_an_attempt_that_has_not_begun_is_dropped_when_stopped(start: StartReplica, kind: str) -> None:
    running = await start(
        f"""
        import time
        class Model:
            concurrency = 2
            {kind} predict(self, x: float): time.sleep(x); return x
    """,
        slots=1 if kind == "def" else None,
    )
    first = running.begin(0.3, "a")
    await running.has_begun(first)
    second = running.begin(5, "b")
    running.replica.stop(second, StopReason.LEASE_LOST)
    assert await running.ending(second) == Stopped(2, begun=False, run_s=0.0)
    assert isinstance(await running.ending(first), Succeeded)


async def test_an_async_attempt_is_cancelled_when_stopped(start: StartReplica) -> None:
    running = await start("""
        import asyncio
        class Model:
            concurrency = 2
            cancelled = 0
            async def predict(self, x: float):
                try: await asyncio.sleep(x)
                except asyncio.CancelledError: self.cancelled += 1; raise
                return self.cancelled
    """)
    long = running.begin(600, "a")
    await running.has_begun(long)
    running.replica.stop(long, StopReason.LEASE_LOST)
    ending = await running.ending(long)
    assert isinstance(ending, Stopped)
    assert ending.begun
    assert await running.run(0) == 1


async def test_a_stop_of_an_attempt_elsewhere_changes_nothing(start: StartReplica) -> None:
    running = await start("""
        import asyncio
        class Model:
            async def predict(self, x: float): await asyncio.sleep(x)
    """)
    here = running.begin(0.2)
    await running.has_begun(here)
    elsewhere = Attempt(here.delivery)
    elsewhere.number = here.number
    running.replica.stop(elsewhere, StopReason.CANCELLED)
    assert isinstance(await running.ending(here), Succeeded)


async def test_an_output_of_a_cancelled_attempt_counts(start: StartReplica) -> None:
    running = await start("""
        import asyncio
        class Model:
            async def predict(self, x: float):
                try: await asyncio.sleep(x)
                except asyncio.CancelledError: return "as far as it got"
    """)
    long = running.begin(600)
    await running.has_begun(long)
    running.replica.stop(long, StopReason.CANCELLED)
    ending = await running.ending(long)
    assert isinstance(ending, Succeeded)
    assert ending.output == b'"as far as it got"'


@pytest.mark.parametrize(
    ("slots", "wait"),
    [(1, "time.sleep(60)"), (1, "while True: pass"), (3, "while True: time.sleep(0.01)")],
    ids=["in the system", "in bytecode", "in a thread"],
)
async def test_a_def_attempt_is_interrupted_when_stopped(start: StartReplica, slots: int, wait: str) -> None:
    running = await start(f"""
        import time
        class Model:
            concurrency = {slots}
            def predict(self, x: int):
                if x: return x
                {wait}
    """)
    others = [running.begin(1) for _ in range(slots - 1)]
    long = running.begin(0)
    await running.has_begun(long)
    running.replica.stop(long, StopReason.CANCELLED)
    assert isinstance(await running.ending(long), Stopped)
    assert [await running.run(x) for x in range(1, 6)] == [1, 2, 3, 4, 5]
    assert all([isinstance(await running.ending(other), Succeeded) for other in others])


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_a_model_can_ask_about_its_prediction(start: StartReplica, kind: str) -> None:
    running = await start(f"""
        import contextvars, threading, time, zypher
        class Model:
            concurrency = 2
            def __init__(self): self.before = [zypher.cancelled(), zypher.prediction_id(), zypher.attempt()]
            {kind} predict(self, _: object):
                own = [zypher.cancelled(), zypher.prediction_id(), zypher.attempt()]
                seen = []
                context = contextvars.copy_context()
                thread = threading.Thread(target=lambda: seen.append(context.run(zypher.prediction_id)))
                thread.start()
                thread.join()
                return [self.before, own, seen]
    """)
    assert await running.run() == [[False, None, 0], [False, "id", 1], ["id"]]


async def test_a_model_that_sees_its_cancellation_can_still_answer(start: StartReplica) -> None:
    running = await start("""
        import time, zypher
        class Model:
            concurrency = 2
            def predict(self, _: object):
                while True:
                    try:
                        while not zypher.cancelled(): time.sleep(0.001)
                        return "as far as it got"
                    except zypher.PredictionStopped: pass
    """)
    long = running.begin(None)
    await running.has_begun(long)
    running.replica.stop(long, StopReason.CANCELLED)
    ending = await running.ending(long)
    assert isinstance(ending, Succeeded)
    assert ending.output == b'"as far as it got"'


async def test_events_of_an_attempt_arrive_before_its_ending(start: StartReplica) -> None:
    running = await start("""
        import gc
        from zypher.prediction import EventKind
        from zypher.context import current
        from zypher.replica.channel import Channel
        from zypher.worker.protocol import Reported
        class Model:
            def predict(self, x: int):
                (channel,) = (each for each in gc.get_objects() if isinstance(each, Channel))
                number = current.get().run.number
                channel.send(Reported(number, EventKind.PROGRESS, b"1"))
                channel.send(Reported(number, EventKind.OUTPUT, b'"%s"' % (b"x" * 150_000)))
                channel.send(Reported(number + 1, EventKind.PROGRESS, b"3"))  # of no attempt that runs
                return x
    """)
    attempt = running.begin(1)
    assert isinstance(await running.ending(attempt), Succeeded)
    expected = [Event(EventKind.PROGRESS, b"1"), Event(EventKind.OUTPUT, b'"%s"' % (b"x" * 150_000))]
    assert await running.events.take() == [(attempt, expected)]


async def test_a_replica_answers_while_its_def_model_is_busy(start: StartReplica) -> None:
    running = await start("import time\nclass Model:\n    def predict(self, x: float): time.sleep(x)")
    busy = running.begin(1)
    await running.has_begun(busy)
    running.replica.ping()
    await asyncio.sleep(0.3)
    assert running.replica.trouble(0.3) is None
    await running.ending(busy)


@pytest.mark.parametrize(
    "source",
    [
        "import ctypes\nclass Model:\n    def predict(self, x: int): ctypes.PyDLL(None).sleep(x)",
        "import time\nclass Model:\n    async def predict(self, x: int): time.sleep(x)",
    ],
    ids=["the GIL is held", "the loop is held"],
)
async def test_a_replica_that_is_held_up_is_noticed(start: StartReplica, source: str) -> None:
    running = await start(source)
    busy = running.begin(2)
    await running.has_begun(busy)
    assert (await running.has_trouble(0.2)).startswith("has not answered for ")
    await running.ending(busy)
    async with asyncio.timeout(10):
        while running.replica.trouble(0.2) is not None:
            await asyncio.sleep(0.01)


async def test_a_replica_without_descriptors_reports_it(start: StartReplica) -> None:
    running = await start("""
        import os, resource
        held = []
        class Model:
            def setup(self): resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            def predict(self, x: int):
                if not x: return [os.close(each) for each in held]
                try:
                    while True: held.append(os.dup(0))
                except OSError: return
    """)
    await running.run(1)
    assert await running.has_trouble(10) == "cannot open a file (Too many open files)"
    await running.run(0)
    running.replica.ping()
    async with asyncio.timeout(10):
        while running.replica.trouble(10) is not None:
            await asyncio.sleep(0.01)


async def test_a_crash_reports_exactly_what_had_begun(start: StartReplica) -> None:
    running = await start("""
        import os, time
        class Model:
            def predict(self, x: float): time.sleep(x); os._exit(3)
    """)
    begun, waiting = running.begin(0.2, "a"), running.begin(0, "b")
    assert await running.ending(waiting) == Lost("exited with code 3", begun=False)
    assert begun.ending == Lost("exited with code 3", begun=True)


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_an_idle_model_is_closed_with_its_replica(start: StartReplica, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "closed"
    running = await start(f"""
        class Model:
            {kind} predict(self, x: int): return x
            def close(self): open({str(file)!r}, "w").close()
    """)
    assert await running.run(1) == 1
    running.replica.close()
    assert await running.cause() == "exited with code 0"
    assert file.exists()
