"""Ends a process group: a replica, and what its model started in it.

It is also the program of `zypher.worker.guard`, and therefore imports nothing of ours:
    python -I -S process_group.py GROUP
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# In the command line of the resource trackers of multiprocessing and of joblib. They remove the shared memory, the
# semaphores and the folders of processes that ended without doing so, once the last of these has ended.
_TRACKER = b"resource_tracker import main"
_TRACKERS_END_S = 3.0
_PAUSE_S = 0.01
_DEAD = (b"Z", b"X")


def end_group(group: int) -> Iterator[float]:
    """Kill a group, its resource trackers last; yields the seconds to pause before the next step.

    At the end nothing of it lives, whatever it forked meanwhile. Trackers have three seconds for their work.
    """
    for _ in range(round(_TRACKERS_END_S / _PAUSE_S)):
        if not kill_all_but_trackers(group):
            break
        yield _PAUSE_S
    _kill_all(group)


def kill_all_but_trackers(group: int) -> bool:
    """Kill what can be found of the group, except resource trackers; whether some of it still lives."""
    if sys.platform != "linux":
        _kill_all(group)
        return False
    members = [pid for pid in _processes() if _lives_in(pid, group)]
    for pid in members:
        if not _is_tracker(pid):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    return bool(members)


def _kill_all(group: int) -> None:
    with suppress(OSError):  # it is empty, or another user's
        os.killpg(group, signal.SIGKILL)


def _processes() -> list[int]:
    with suppress(OSError), os.scandir("/proc") as entries:
        return [int(entry.name) for entry in entries if entry.name.isdecimal()]
    return []


def _lives_in(pid: int, group: int) -> bool:
    """Whether it is in the group, and has not ended; a zombie has."""
    with suppress(OSError):
        if os.getpgid(pid) == group:  # far cheaper than a look at the file, and false of almost all
            return _read(pid, "stat").rpartition(b")")[2].split()[0] not in _DEAD
    return False


def _is_tracker(pid: int) -> bool:
    with suppress(OSError):
        return _TRACKER in _read(pid, "cmdline")
    return False


def _read(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def main() -> None:
    """End the group once standard input has ended."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    for pause_s in end_group(int(sys.argv[1])):
        time.sleep(pause_s)


if __name__ == "__main__":
    main()
