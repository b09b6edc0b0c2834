"""What a hostile or careless model can do to its replica, and cannot."""

from pathlib import Path

import pytest

from tests.running_replica import StartReplica
from zypher.errors import TargetError
from zypher.worker.attempt import Lost
from zypher.worker.protocol import Failed, Succeeded

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
async def test_what_a_worker_cannot_take_ends_the_replica(start: StartReplica, kind: str) -> None:
    running = await start(HOSTILE)
    assert await running.run("nothing") == "honest"

    attempt = running.begin(kind)

    cause = await running.cause()
    assert cause.startswith("sent what its worker cannot take and was ended; a model may write only to descriptors")
    assert await running.ending(attempt) == Lost(cause, begun=True)


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("leave", ["return 'forked'", "raise ValueError('forked')", "sys.exit(5)"])
async def test_a_forked_process_does_not_answer_for_its_parent(start: StartReplica, kind: str, leave: str) -> None:
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


async def test_what_a_model_starts_inherits_none_of_our_descriptors(start: StartReplica) -> None:
    running = await start("""
        import subprocess, sys
        def inherited():
            command = [sys.executable, "-c", "import os; print(*sorted(os.listdir('/dev/fd')))"]
            return subprocess.check_output(command, close_fds=False, text=True)
        AT_IMPORT = inherited()
        class Model:
            def predict(self, _: object): return [AT_IMPORT, inherited()]
    """)
    assert await running.run() == ["0 1 2 3\n"] * 2  # the last one is of the folder that it lists


async def test_nothing_of_the_server_is_in_the_models_environment(
    start: StartReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZYPHER_ENGINE", "redis://:secret@host:1/0")
    running = await start(
        "import os\nclass Model:\n"
        "    def predict(self, _: object): return [name for name in os.environ if name.startswith('ZYPHER')]"
    )
    assert await running.run() == []


async def test_what_a_script_pickled_is_found(start: StartReplica, tmp_path: Path) -> None:
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
async def test_processes_that_a_model_spawns_find_its_functions(start: StartReplica, name: str) -> None:
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


async def test_a_model_is_closed_where_it_ran(start: StartReplica, tmp_path: Path) -> None:
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


async def test_a_death_while_loading_is_described(start: StartReplica) -> None:
    with pytest.raises(TargetError, match="The process that was loading the model exited with code 7"):
        await start("import os\nos._exit(7)")


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("size_bytes", [300_000, 3_000_000])
async def test_large_outputs_arrive_whole(start: StartReplica, kind: str, size_bytes: int) -> None:
    source = f"class Model:\n    concurrency = 4\n    {kind} predict(self, x: int): return 'y' * x"
    running = await start(source, most_bytes=10_000_000)
    attempts = [running.begin(size_bytes, str(number)) for number in range(4)]
    for attempt in attempts:
        ending = await running.ending(attempt)
        assert isinstance(ending, Succeeded)
        assert len(ending.output) == size_bytes + 2
    assert await running.run(1) == "y"


async def test_a_burst_of_outputs_arrives_whole(start: StartReplica) -> None:
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
async def test_half_a_surrogate_pair_in_an_exception_is_sent(start: StartReplica, kind: str, raised: str) -> None:
    running = await start(f"import zypher\nclass Model:\n    {kind} predict(self, x: int):\n        raise {raised}")
    for _ in range(2):
        assert isinstance(await running.ending(running.begin(1)), Failed)


@pytest.mark.parametrize("kind", ["zypher.InvalidInput", "ValueError"])
async def test_of_a_long_exception_the_ends_are_sent(start: StartReplica, kind: str) -> None:
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


async def test_a_replica_that_can_receive_no_more_ends(start: StartReplica) -> None:
    running = await start("import os\nos.dup = None\nclass Model:\n    def predict(self, x: int): return x")
    assert await running.run(1) == 1
    running.replica.ping()
    assert await running.cause() == "exited with code 1"


async def test_a_signal_that_raises_at_any_time_loses_no_attempt(start: StartReplica) -> None:
    running = await start("""
        import signal
        class Model:
            def setup(self):
                def late(number, frame): raise TimeoutError("too late")
                signal.signal(signal.SIGALRM, late)
                signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
            def predict(self, x: int): return x
    """)
    endings = [await running.ending(running.begin(0))]
    while len(endings) < 300 and not isinstance(endings[-1], Lost):  # lost: it was being sent in that very moment
        endings.append(await running.ending(running.begin(len(endings))))
    assert {type(ending) for ending in endings} <= {Succeeded, Failed, Lost}
    failures = {ending.message for ending in endings if isinstance(ending, Failed)}
    # The first two: the next signal came while the message of this one was read.
    assert failures <= {"TimeoutError", "TimeoutError: (its message cannot be read)", "TimeoutError: too late"}


@pytest.mark.parametrize(
    "patch",
    [
        "threading.Thread.start = lambda self: None",
        "time.perf_counter = time.monotonic = lambda: float('nan')",
        "os.getpid = lambda: 1; os._exit = None",
        "os.fork() or print('child')",
    ],
)
async def test_what_a_model_patches_or_forks_at_import_harms_nothing(start: StartReplica, patch: str) -> None:
    running = await start(f"import os, threading, time\n{patch}\nclass Model:\n    def predict(self, x: int): return x")
    assert [await running.run(number) for number in range(3)] == [0, 1, 2]


async def test_a_model_that_cancels_every_task_keeps_its_replica(start: StartReplica) -> None:
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
