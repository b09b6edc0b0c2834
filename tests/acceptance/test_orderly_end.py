"""A replica that ends in order leaves what a script would leave: nothing, or what was meant to stay."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.asking import client_of, predict, target
from tests.conftest import Serve
from tests.fake_clock import eventually
from tests.held import Held
from tests.polling import wait_until
from tests.running_replica import StartReplica

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("model", ["Leaving", "LeavingAsync"])
def test_an_orderly_stop_leaves_nothing(serve: Serve, model: str, number: signal.Signals) -> None:
    server = serve(target(f"leaving.py:{model}"))
    held = Held(server.directory)
    server.signal(number)
    assert server.wait() == 0
    assert held.left() == []
    assert (server.directory / "atexit").exists()


def test_a_prediction_that_outlasts_the_drain_leaves_no_process(serve: Serve) -> None:
    server = serve(target("leaving.py:Leaving"), "--drain-timeout-s", "0.1")
    held = Held(server.directory)
    with client_of(server) as client:
        assert client.post("/predict", json={"input": 600}, headers={"Async-Mode": "true"}).status_code == 202
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 4
    assert held.left() == held.folders
    held.remove_folders()


async def test_a_thread_without_an_end_is_interrupted(
    start: StartReplica, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    running = await start(f"""
        import atexit, pathlib, threading
        class Model:
            def setup(self):
                threading.Thread(target=threading.Event().wait).start()
                atexit.register(pathlib.Path({str(tmp_path / "ended")!r}).touch)
            def predict(self, x: int): return x
    """)
    running.replica.close()
    assert await running.cause() == "exited with code 0"
    assert (tmp_path / "ended").exists()
    assert "a replica takes long to end and is interrupted" in caplog.messages


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_a_replica_that_hangs_at_its_end_is_killed(start: StartReplica, kind: str) -> None:
    running = await start(f"""
        import time
        class Model:
            {kind} predict(self, x: int): return x
            def close(self):
                while True:
                    try: time.sleep(600)
                    except BaseException: pass
    """)
    began = time.monotonic()
    running.replica.close()
    assert await running.cause() == "was killed by signal SIGKILL (9)"
    assert 4 < time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("prediction", "wait"),
    [("def", "await asyncio.sleep(600)"), ("async def", "await asyncio.sleep(600)"), ("async def", "time.sleep(600)")],
)
async def test_a_close_that_is_interrupted_is_logged(
    start: StartReplica, capfd: pytest.CaptureFixture[str], prediction: str, wait: str
) -> None:
    running = await start(f"""
        import asyncio, time
        class Model:
            {prediction} predict(self, x: int): return x
            async def close(self):
                {wait}
    """)
    running.replica.close()
    assert await running.cause() == "exited with code 0"
    assert "the model did not close" in capfd.readouterr().err


def test_a_second_signal_cuts_the_end_of_replicas_short(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\nclass Slow:\n    def predict(self, x: int): return x\n"
        "    def close(self):\n        pathlib.Path('closing').touch()\n        time.sleep(600)\n"
    )
    server = serve("slow.py:Slow")
    server.signal(signal.SIGTERM)
    wait_until((tmp_path / "closing").exists)
    server.signal(signal.SIGTERM)
    assert server.wait(1.5) == 130
    assert server.children() == []


@pytest.mark.parametrize("kind", ["def", "async def"])
async def test_a_model_that_could_not_load_ends_in_order(start: StartReplica, tmp_path: Path, kind: str) -> None:
    with pytest.raises(Exception, match="no weights"):
        await start(f"""
            import atexit, pathlib, threading
            class Model:
                def setup(self):
                    threading.Thread(target=threading.Event().wait).start()
                    atexit.register(pathlib.Path({str(tmp_path / "ended")!r}).touch)
                    raise ValueError("no weights")
                {kind} predict(self, x: int): return x
        """)
    await eventually((tmp_path / "ended").exists)


async def test_every_slot_ends_and_the_model_closes(start: StartReplica, tmp_path: Path) -> None:
    running = await start(f"""
        import pathlib, threading
        barrier = threading.Barrier(4)
        class Model:
            concurrency = 4
            def predict(self, x: int): return barrier.wait(10) >= 0
            def close(self): pathlib.Path({str(tmp_path / "closed")!r}).touch()
    """)
    attempts = [running.begin(number) for number in range(4)]
    for attempt in attempts:
        await running.ending(attempt)
    began = time.monotonic()
    running.replica.close()
    assert await running.cause() == "exited with code 0"
    assert (tmp_path / "closed").exists()
    assert time.monotonic() - began < 2


async def test_background_tasks_are_cancelled_as_by_asyncio_run(start: StartReplica, tmp_path: Path) -> None:
    running = await start(f"""
        import asyncio, pathlib
        class Model:
            async def setup(self): self.task = asyncio.create_task(self.refresh())
            async def refresh(self):
                try: await asyncio.sleep(600)
                finally: pathlib.Path({str(tmp_path / "cancelled")!r}).touch()
            async def predict(self, x: int): return x
    """)
    assert await running.run(1) == 1
    running.replica.close()
    assert await running.cause() == "exited with code 0"
    assert (tmp_path / "cancelled").exists()


@pytest.mark.parametrize("slots", [1, 2])
async def test_a_forked_process_can_be_terminated(start: StartReplica, slots: int) -> None:
    running = await start(
        """
        import multiprocessing, time
        class Model:
            def predict(self, x: int):
                child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
                child.start()
                child.terminate()
                child.join(5)
                return child.exitcode
        """,
        slots=slots,
    )
    attempts = [running.begin(number) for number in range(slots)]
    assert [getattr(await running.ending(attempt), "output", b"") for attempt in attempts] == [b"-15"] * slots


def test_a_daemon_of_a_model_stays(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "daemon.py").write_text(
        "import subprocess\nclass Daemon:\n"
        "    def setup(self): self.pid = subprocess.Popen(['sleep', '600'], start_new_session=True).pid\n"
        "    def predict(self, _: object): return self.pid\n"
    )
    server = serve("daemon.py:Daemon")
    with client_of(server) as client:
        daemon = psutil.Process(predict(client, None).json())
    try:
        assert server.stop() == 0
        assert daemon.is_running()
    finally:
        daemon.kill()
