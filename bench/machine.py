"""What the figures were measured on."""

import os
import platform
import tempfile
import time
from pathlib import Path
from statistics import median

_WRITES = 50


def describe() -> str:
    """The machine in a line: processor, cores, kernel, Python, and what a durable write costs."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{_cpu_model()}, {cores} cores; Linux {platform.release()}; Python {platform.python_version()}; "
        f"4 KiB written and fsynced in {_fsync_ms():.2f} ms"
    )


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _fsync_ms() -> float:
    """Median of appending to a file where the servers keep their data."""
    with tempfile.NamedTemporaryFile(prefix=".run-", dir=Path(__file__).parent) as file:
        return median(_append_ms(file.fileno()) for _ in range(_WRITES))


def _append_ms(descriptor: int) -> float:
    started = time.perf_counter()
    os.write(descriptor, bytes(4096))
    os.fsync(descriptor)
    return (time.perf_counter() - started) * 1000
