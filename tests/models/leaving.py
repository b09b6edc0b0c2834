"""Starts and makes what must not stay when its replica ends, and writes down what that is."""

import asyncio
import atexit
import json
import multiprocessing.util
import os
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from tempfile import TemporaryDirectory

_LONG_S = 600


class _Leaving:
    def setup(self) -> None:
        self.segment = SharedMemory(create=True, size=1000)
        self.semaphore = get_context("spawn").Semaphore()
        self.folder = TemporaryDirectory()
        self.pipe = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        self.stubborn = subprocess.Popen(["sh", "-c", f"trap '' TERM HUP INT; sleep {_LONG_S} & sleep {_LONG_S}"])
        for each in (get_context("fork"), get_context("spawn"), get_context("forkserver")):
            each.Process(target=time.sleep, args=(_LONG_S,), daemon=True).start()
        self.pool = ProcessPoolExecutor(1, get_context("spawn"))
        self.pool.submit(time.sleep, 0).result()
        atexit.register(Path("atexit").touch)
        self._write()

    def _write(self) -> None:
        name = getattr(self.semaphore, "_semlock").name  # noqa: B009 no public name
        shared = [self.segment.name, f"sem.{name[1:]}"]
        folders = [self.folder.name, multiprocessing.util.get_temp_dir()]
        held = {"pid": os.getpid(), "shared": shared, "folders": folders}
        Path("held.new").write_text(json.dumps(held))
        Path("held.new").rename("held.json")


class Leaving(_Leaving):
    def predict(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds


class LeavingAsync(_Leaving):
    async def predict(self, seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def close(self) -> None:
        raise ValueError("not closed")


class LeavingEarly(Leaving):
    def setup(self) -> None:
        super().setup()
        time.sleep(_LONG_S)
