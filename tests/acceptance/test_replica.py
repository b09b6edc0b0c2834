"""A replica's process, as its worker meets it: where the model runs, and what a hostile one can do."""

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.worker.conftest import delivery
from zypher.clock import SystemClock
from zypher.errors import TargetError
from zypher.prediction import Delivery, FailureKind, Message
from zypher.settings import LogFormat, LogSettings
from zypher.worker.attempt import Attempt, Ending, Endings, Lost
from zypher.worker.process_replica import Launch, ProcessReplica
from zypher.worker.protocol import Failed, Stopped, StopReason, Succeeded

Start = Callable[..., Awaitable["Running"]]


class Running:
    """A replica with its model, and the endings of what it ran."""

    def __init__(self, replica: ProcessReplica, endings: Endings) -> None:
        self.replica = replica
        self.ended = asyncio.ensure_future(replica.ended())
        self._endings = endings
        self._taken: list[Attempt] = []

    def begin(self, input: object, name: str = "id") -> Attempt:
        message = Message(name, "m", json.dumps(input).encode(), delivery().message.submitted_at)
        attempt = Attempt(Delivery(message, 1, name))
        self.replica.run(attempt)
        return attempt

    async def ending(self, attempt: Attempt) -> Ending:
        async with asyncio.timeout(20):
            while attempt.ending is None:
                await self._endings.take()
        return attempt.ending

    async def run(self, input: object = None) -> object:
        """The output for this input."""
        ending = await self.ending(self.begin(input))
        assert isinstance(ending, Succeeded), ending
        return json.loads(ending.output)

    async def cause(self) -> str:
        """What became of the process, once it has ended."""
        async with asyncio.timeout(20):
            return await asyncio.shield(self.ended)

    async def has_begun(self, *attempts: Attempt) -> None:
        async with asyncio.timeout(20):
            while not set(attempts) <= set(self.replica.begun()):
                await asyncio.sleep(0.005)

    async def has_trouble(self, silence_s: float) -> str:
        async with asyncio.timeout(20):
            while (trouble := self.replica.trouble(silence_s)) is None:
                self.replica.ping()
                await asyncio.sleep(0.01)
        return trouble


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    started: list[Running] = []

    async def start_one(
        source: str, *, name: str = "model.py", slots: int | None = None, most_bytes: int = 1_000_000
    ) -> Running:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source))
        log = LogSettings(format=LogFormat.JSON)
        endings = Endings()
        replica = ProcessReplica(1, Launch(f"{path}:Model", slots, most_bytes, log), endings, SystemClock())
        await replica.start()
        started.append(Running(replica, endings))
        await replica.loaded()
        return started[-1]

    yield start_one
    for each in started:
        each.replica.close()
        await each.ended


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
async def test_a_model_runs_in_the_main_thread(start: Start, tmp_path: Path, kind: str) -> None:
    running = await start(WHERE.format(kind=kind))
    file = str(tmp_path / "model.py")
    assert await running.run() == [False, [True, True, True], [file], file]


async def test_signals_and_event_loops_work_in_a_prediction(start: Start) -> None:
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


async def test_an_alarm_that_is_left_set_harms_no_later_prediction(start: Start) -> None:
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


async def test_more_slots_of_a_def_are_threads(start: Start) -> None:
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


async def test_without_more_threads_attempts_share_those_that_are_there(start: Start) -> None:
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
async def test_whatever_a_model_raises_its_attempt_fails(start: Start, kind: str, statement: str) -> None:
    running = await start(f"class Model:\n    {kind} predict(self, x: object):\n        {statement}\n")
    for _ in range(2):
        ending = await running.ending(running.begin(1))
        assert isinstance(ending, Failed)
        assert ending.message
        assert len(ending.details) < 200_000


async def test_an_output_beyond_the_limit_is_a_failure(start: Start) -> None:
    running = await start("class Model:\n    def predict(self, x: int): return 'x' * x", most_bytes=1_000)
    assert await running.run(998) == "x" * 998
    ending = await running.ending(running.begin(999))
    assert isinstance(ending, Failed)
    assert ending.kind is FailureKind.INVALID_OUTPUT
    assert "has 1001 bytes and may have 1000 (--max-output-bytes)" in ending.message


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_an_attempt_that_has_not_begun_is_dropped_when_stopped(start: Start, kind: str) -> None:
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


async def test_an_async_attempt_is_cancelled_when_stopped(start: Start) -> None:
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


async def test_a_replica_answers_while_its_def_model_is_busy(start: Start) -> None:
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
async def test_a_replica_that_is_held_up_is_noticed(start: Start, source: str) -> None:
    running = await start(source)
    busy = running.begin(2)
    await running.has_begun(busy)
    assert (await running.has_trouble(0.2)).startswith("has not answered for ")
    await running.ending(busy)
    async with asyncio.timeout(10):
        while running.replica.trouble(0.2) is not None:
            await asyncio.sleep(0.01)


async def test_a_replica_without_descriptors_reports_it(start: Start) -> None:
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


async def test_a_crash_reports_exactly_what_had_begun(start: Start) -> None:
    running = await start("""
        import os, time
        class Model:
            def predict(self, x: float): time.sleep(x); os._exit(3)
    """)
    begun, waiting = running.begin(0.2, "a"), running.begin(0, "b")
    assert await running.ending(waiting) == Lost("exited with code 3", begun=False)
    assert begun.ending == Lost("exited with code 3", begun=True)


HOSTILE = """
    import os, stat, msgspec
    def channel():
        for descriptor in range(3, 100):
            try:
                if stat.S_ISSOCK(os.fstat(descriptor).st_mode): return descriptor
            except OSError: pass
    def send(body):
        os.write(channel(), b"zy" + len(body).to_bytes(6, "big") + body)
    CARD = dict(name="x", description="", input_schema={}, output_schema={}, components={}, concurrency=1000)
    class Model:
        concurrency = 2
        def predict(self, kind: str):
            if kind == "garbage": os.write(channel(), b"\\xff\\xffgarbage")
            if kind == "4 GB": os.write(channel(), b"zy" + (4 << 30).to_bytes(6, "big"))
            if kind == "bad msgpack": send(b"\\x91\\x93\\xa0\\xc0\\xc1")
            if kind == "nested": send(b"\\x91" * 100_000 + b"\\xc0")
            if kind == "loaded again": send(msgspec.msgpack.encode([[5, CARD]]))
            if kind == "of others": send(msgspec.msgpack.encode([[7, 9_999, b'"FORGED"', 0.1]]))
            if kind == "no time": send(msgspec.msgpack.encode([[7, 1, b'"FORGED"', float("nan")]]))
            if kind == "flood":
                import socket
                end = socket.socket(fileno=os.dup(channel()))
                end.sendall(b"zy" + (1_000_000).to_bytes(6, "big"))
                while True: end.sendall(b"A" * 1_048_576)
            if kind == "nothing": return "honest"
            while True: pass
"""


@pytest.mark.parametrize(
    "kind", ["garbage", "4 GB", "bad msgpack", "nested", "loaded again", "of others", "no time", "flood"]
)
async def test_what_a_worker_cannot_take_ends_the_replica(start: Start, kind: str) -> None:
    running = await start(HOSTILE)
    assert await running.run("nothing") == "honest"

    attempt = running.begin(kind)

    cause = await running.cause()
    assert cause.startswith("sent what its worker cannot take and was ended; a model may write only to descriptors")
    assert await running.ending(attempt) == Lost(cause, begun=True)


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("leave", ["return 'forked'", "raise ValueError('forked')", "sys.exit(5)"])
async def test_a_forked_process_does_not_answer_for_its_parent(start: Start, kind: str, leave: str) -> None:
    running = await start(f"""
        import os, sys
        class Model:
            {kind} predict(self, x: int):
                child = os.fork()
                if child == 0:
                    {leave}
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    """)
    code = {"r": 0, "s": 5}[leave[0]] if "raise" not in leave else 1
    assert [await running.run(number) for number in range(3)] == [code] * 3


async def test_nothing_of_the_server_is_in_the_models_environment(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZYPHER_ENGINE", "redis://:secret@host:1/0")
    running = await start(
        "import os\nclass Model:\n"
        "    def predict(self, _: object): return [name for name in os.environ if name.startswith('ZYPHER')]"
    )
    assert await running.run() == []


async def test_what_a_script_pickled_is_found(start: Start, tmp_path: Path) -> None:
    pickled = tmp_path / "pickled"
    pickled.write_bytes(b"c__main__\nTokenizer\n.")  # a class by its name, as a script writes it
    running = await start(f"""
        import pickle
        class Tokenizer: pass
        class Model:
            def setup(self): self.found = pickle.load(open({str(pickled)!r}, "rb"))
            def predict(self, _: object): return self.found is Tokenizer
    """)
    assert await running.run() is True


@pytest.mark.parametrize("name", ["model.py", "my-model.py", "2024_model.py", "model.v2.py", "imp.py"])
async def test_processes_that_a_model_spawns_find_its_functions(start: Start, name: str) -> None:
    running = await start(
        """
        import multiprocessing
        def square(x): return x * x
        class Model:
            def predict(self, x: int):
                with multiprocessing.get_context("spawn").Pool(1) as pool: return pool.map(square, range(x))
        """,
        name=name,
    )
    assert await running.run(3) == [0, 1, 4]


async def test_a_model_is_closed_where_it_ran(start: Start, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    running = await start(f"""
        import pathlib, threading
        class Model:
            def predict(self, _: object): return 1
            def close(self): pathlib.Path({str(closed)!r}).write_text(threading.current_thread().name)
    """)
    await running.run()
    running.replica.close()
    assert await running.cause() == "exited with code 0"
    assert closed.read_text() == "MainThread"


async def test_a_death_while_loading_is_described(start: Start) -> None:
    with pytest.raises(TargetError, match="The process that was loading the model exited with code 7"):
        await start("import os\nos._exit(7)")


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("size_bytes", [300_000, 3_000_000])
async def test_large_outputs_arrive_whole(start: Start, kind: str, size_bytes: int) -> None:
    source = f"class Model:\n    concurrency = 4\n    {kind} predict(self, x: int): return 'y' * x"
    running = await start(source, most_bytes=10_000_000)
    attempts = [running.begin(size_bytes, str(number)) for number in range(4)]
    for attempt in attempts:
        ending = await running.ending(attempt)
        assert isinstance(ending, Succeeded)
        assert len(ending.output) == size_bytes + 2
    assert await running.run(1) == "y"


async def test_a_burst_of_outputs_arrives_whole(start: Start) -> None:
    running = await start("""
        import asyncio
        class Model:
            concurrency = 200
            waiting = []
            async def predict(self, last: bool):
                self.waiting.append(asyncio.get_running_loop().create_future())
                if last: [each.set_result(None) for each in self.waiting]
                await self.waiting[-1] if last else await self.waiting[len(self.waiting) - 1]
                return "y" * 3_000
    """)
    attempts = [running.begin(number == 149, str(number)) for number in range(150)]
    assert all([isinstance(await running.ending(attempt), Succeeded) for attempt in attempts])


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    "raised",
    ["zypher.InvalidInput('no colour: \\ud800')", "ValueError('\\ud800')", "type('\\ud800', (Exception,), {})()"],
)
async def test_half_a_surrogate_pair_in_an_exception_is_sent(start: Start, kind: str, raised: str) -> None:
    running = await start(f"import zypher\nclass Model:\n    {kind} predict(self, x: int):\n        raise {raised}")
    for _ in range(2):
        assert isinstance(await running.ending(running.begin(1)), Failed)


@pytest.mark.parametrize("kind", ["zypher.InvalidInput", "ValueError"])
async def test_of_a_long_exception_the_ends_are_sent(start: Start, kind: str) -> None:
    running = await start(f"""
        import zypher
        class Model:
            concurrency = 100
            async def predict(self, size: int): raise {kind}("begin" + "x" * size + "end")
    """)
    attempts = [running.begin(200_000, str(number)) for number in range(98)] + [running.begin(40_000_000)]
    for attempt in attempts:
        ending = await running.ending(attempt)
        assert isinstance(ending, Failed)
        assert "begin" in ending.message
        assert len(ending.message) + len(ending.details) < 300_000


async def test_a_replica_that_can_receive_no_more_ends(start: Start) -> None:
    running = await start("import os\nos.dup = None\nclass Model:\n    def predict(self, x: int): return x")
    assert await running.run(1) == 1
    running.replica.ping()
    assert await running.cause() == "exited with code 1"


async def test_a_signal_that_raises_at_any_time_loses_no_attempt(start: Start) -> None:
    running = await start("""
        import signal
        class Model:
            def setup(self):
                def late(number, frame): raise TimeoutError("too late")
                signal.signal(signal.SIGALRM, late)
                signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
            def predict(self, x: int): return x
    """)
    for number in range(300):
        ending = await running.ending(running.begin(number))
        if isinstance(ending, Lost):  # it was being sent in that very moment
            break


@pytest.mark.parametrize(
    "patch",
    [
        "threading.Thread.start = lambda self: None",
        "time.perf_counter = time.monotonic = lambda: float('nan')",
        "os.getpid = lambda: 1; os._exit = None",
        "os.fork() or print('child')",
    ],
)
async def test_what_a_model_patches_or_forks_at_import_harms_nothing(start: Start, patch: str) -> None:
    running = await start(f"import os, threading, time\n{patch}\nclass Model:\n    def predict(self, x: int): return x")
    assert [await running.run(number) for number in range(3)] == [0, 1, 2]


async def test_a_model_that_cancels_every_task_keeps_its_replica(start: Start) -> None:
    running = await start("""
        import asyncio
        class Model:
            concurrency = 2
            async def predict(self, x: int):
                if x: [task.cancel() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
                else: await asyncio.sleep(600)
                return x
    """)
    waiting = running.begin(0)
    await running.has_begun(waiting)
    assert await running.run(1) == 1
    assert isinstance(await running.ending(waiting), Failed)
    assert await running.run(2) == 2
