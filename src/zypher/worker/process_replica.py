"""A replica that is a child process: its start, its socket, the attempts that run in it, its end."""

import asyncio
import logging
import os
import signal
import socket
import sys
from contextlib import suppress

import msgspec

from zypher.clock import Clock
from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.prediction import Event, StopReason
from zypher.settings import LogSettings
from zypher.settings.resolve import environment_of_children
from zypher.telemetry.metrics import Metrics
from zypher.worker import begun
from zypher.worker.attempt import Attempt, Ending, Endings, Lost
from zypher.worker.channel import Channel
from zypher.worker.events import Events
from zypher.worker.guard import Guard, reap
from zypher.worker.process_group import end_group, kill_all_but_trackers
from zypher.worker.protocol import (
    Batched,
    Failed,
    Load,
    Loaded,
    LoadFailed,
    Ping,
    Pong,
    Reported,
    Run,
    Stop,
    Stopped,
    Succeeded,
    ToWorker,
)
from zypher.worker.replica_log import ReplicaLog

logger = logging.getLogger(__name__)

_SENT_WRONG = (
    "sent what its worker cannot take and was ended; a model may write only to descriptors that it opened, "
    "and return no more than --max-output-bytes"
)
_GRACE_S = 1.0  # for the last endings of a process that is gone
# How long a replica may take to end once its socket is closed: between two of these it is interrupted, after the last
# one killed. With a prediction in it, it ends without order, which is quick; loading must be interrupted first of all.
_BUSY_END_S = (1.0,)
_IDLE_END_S = (2.0, 1.0, 1.0, 1.0)
_LOADING_END_S = (0.5, 1.5, 1.0, 1.0, 1.0)
_BESIDE_OUTPUT_BYTES = 16_777_216  # of a message, beside an output: a traceback, a card


class Launch(msgspec.Struct, frozen=True):
    """How a replica's process is started."""

    target: str
    concurrency: int | None  # slots; None: what the model states
    max_output_bytes: int
    log: LogSettings  # with the format chosen
    max_batch_size: int | None = None  # None: what the model states
    max_batch_wait_s: float | None = None
    import_path: tuple[str, ...] = ()  # folders to import from, in front of the process's own


class ProcessReplica:
    """Keeps the contract of `zypher.worker.replica`."""

    def __init__(
        self, number: int, launch: Launch, endings: Endings, events: Events, clock: Clock, metrics: Metrics
    ) -> None:
        self.number = number
        self._launch = launch
        self._endings = endings
        self._events = events
        self._clock = clock
        self._metrics = metrics
        self._cells = 0  # attempts that may have begun and not ended
        self._batch_size = 1
        self._sent = 0  # attempts that it was given
        self._attempts: dict[int, Attempt] = {}
        self._abandoned: set[int] = set()  # the numbers of attempts that the model may still run
        self._fewer = asyncio.Event()  # set whenever an attempt has ended
        self._loaded: asyncio.Future[ModelCard] = asyncio.get_running_loop().create_future()
        self._disconnected = asyncio.Event()
        self._begun = -1  # the descriptor of the memory that says which attempts have begun
        self._pinged_at_s: float | None = None  # the first ping that was not answered
        self._trouble = ""  # as it said itself
        longest_bytes = launch.max_output_bytes + _BESIDE_OUTPUT_BYTES
        self._channel = Channel(longest_bytes, self._received, self._lost)
        self._log = ReplicaLog(launch.log, self._only_prediction, clock)
        self._process: asyncio.subprocess.Process | None = None
        self._guard: Guard | None = None

    @property
    def slots(self) -> int:
        return 0 if self._disconnected.is_set() else self._cells - len(self._abandoned)

    @property
    def ahead(self) -> int:
        return 0 if self._disconnected.is_set() or self._batch_size == 1 else self._batch_size

    @property
    def abandoned(self) -> int:
        return len(self._abandoned)

    @property
    def attempts(self) -> list[Attempt]:
        return list(self._attempts.values())

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def has_run(self) -> bool:
        return self._sent > 0

    async def start(self) -> None:
        """As `Replica.start`; whether it can work is the result of `loaded`."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._begun = begun.create()
                self._process = await self._start_process(theirs.fileno())
            self._guard = Guard(self._process.pid)
            self._guard.start()
            await self._channel.open(ours)
        except BaseException:
            ours.close()
            self.kill()
            self._log.close()
            self._dismiss_guard()
            self._forget_begun()
            raise
        self._channel.send(_load(self._launch, self._log.mark))

    async def _start_process(self, socket_descriptor: int) -> asyncio.subprocess.Process:
        prints = self._log.open()
        try:
            return await asyncio.create_subprocess_exec(
                *_command(socket_descriptor, self._begun),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=prints,
                stderr=prints,
                env=environment_of_children(),
                pass_fds=(socket_descriptor, self._begun),
            )
        finally:
            os.close(prints)

    async def loaded(self) -> ModelCard:
        return await asyncio.shield(self._loaded)

    def run(self, attempt: Attempt) -> None:
        self._sent += 1
        attempt.number = self._sent
        self._attempts[attempt.number] = attempt
        delivery = attempt.delivery
        message = delivery.message
        self._channel.send(Run(self._sent, message.prediction_id, delivery.attempt, message.input))

    def stop(self, attempt: Attempt, reason: StopReason) -> None:
        if self._attempts.get(attempt.number) is attempt:
            self._channel.send(Stop(attempt.number, reason))

    def begun(self) -> list[Attempt]:
        if not self._attempts:
            return []
        numbers = frozenset(begun.numbers(self._begun, self._cells))
        return [attempt for number, attempt in self._attempts.items() if number in numbers]

    def beside(self, attempt: Attempt) -> list[Attempt]:
        cells = begun.numbers(self._begun, self._cells)
        if attempt.number not in cells:
            return []
        slot = cells.index(attempt.number) // self._batch_size * self._batch_size
        batch = cells[slot : slot + self._batch_size]
        return [self._attempts[number] for number in batch if number in self._attempts and number != attempt.number]

    def abandon(self, attempt: Attempt, ending: Ending) -> None:
        del self._attempts[attempt.number]
        self._abandoned.add(attempt.number)
        self._ended(attempt, ending)

    async def emptied(self) -> None:
        while self._attempts:
            self._fewer.clear()
            await self._fewer.wait()

    def _only_prediction(self) -> str | None:
        begun = self.begun()
        return begun[0].delivery.message.prediction_id if len(begun) == 1 else None

    def ping(self) -> None:
        if self._pinged_at_s is None:
            self._pinged_at_s = self._clock.monotonic()
        self._channel.send(Ping())
        self._look_after_guard()

    def is_silent(self, silence_s: float) -> bool:
        return self._pinged_at_s is not None and self._clock.monotonic() - self._pinged_at_s >= silence_s

    def trouble(self, silence_s: float) -> str | None:
        if self._pinged_at_s is not None and self.is_silent(silence_s):
            return f"has not answered for {self._clock.monotonic() - self._pinged_at_s:.0f} s"
        return self._trouble or None

    def close(self) -> None:
        self._channel.close()

    async def ended(self) -> str:
        code = await self._exit_code()
        cause = _SENT_WRONG if self._channel.broken else describe_exit(code)
        self._log.drain()
        self._lose_all(cause)
        self._forget_begun()
        await self._end_group()
        self._log.close()
        return cause

    async def _exit_code(self) -> int:
        """Wait for the socket or the process to end, whichever is first, and then for the process."""
        assert self._process is not None
        exited = asyncio.ensure_future(self._process.wait())
        # Both are watched: a process that the model forked may hold the socket open after the replica's death.
        disconnected = asyncio.ensure_future(self._disconnected.wait())
        await asyncio.wait({exited, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            self.kill()  # what it forked; then the socket ends, after the last ending in it
            await asyncio.wait({disconnected}, timeout=_GRACE_S)
        disconnected.cancel()
        self.close()
        await self._wait_for_end(exited)
        self.kill()
        return await exited

    async def _wait_for_end(self, exited: "asyncio.Future[int]") -> None:
        """Wait while the process ends in order, and interrupt it again and again when that takes long."""
        first_s, *others_s = self._patience_s()
        await asyncio.wait({exited}, timeout=first_s)
        if others_s and self._loaded.done() and not exited.done():
            logger.warning("a replica takes long to end and is interrupted", extra={"replica": self.number})
        for patience_s in others_s:
            self._signal(signal.SIGINT)
            await asyncio.wait({exited}, timeout=patience_s)

    def _patience_s(self) -> tuple[float, ...]:
        if self._attempts or self._abandoned:
            return _BUSY_END_S
        return _IDLE_END_S if self._loaded.done() else _LOADING_END_S

    def _signal(self, number: signal.Signals) -> None:
        """Signal the process, unless it has ended."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)  # `Process.send_signal` could reap it

    def kill(self) -> None:
        """As `Replica.kill`; `_end_group` is thorough."""
        if self._process is not None:
            kill_all_but_trackers(self._process.pid)
            self._signal(signal.SIGKILL)  # it may not lead its group yet

    async def _end_group(self) -> None:
        assert self._process is not None
        for pause_s in end_group(self._process.pid):
            await asyncio.sleep(pause_s)
        reap(self._process.pid)
        self._dismiss_guard()

    def _look_after_guard(self) -> None:
        if self._guard is None or not self._guard.has_ended():
            return
        with suppress(OSError):  # the next ping tries again
            self._guard.start()
            logger.warning("the guard of a replica was killed and is started again", extra={"replica": self.number})

    def _dismiss_guard(self) -> None:
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None

    def _received(self, messages: list[ToWorker]) -> None:
        for message in messages:
            match message:
                case Succeeded() | Failed() | Stopped():
                    self._end(message)
                case Reported(number, kind, content):
                    # Not of one that has ended: a thread that it left behind may still report.
                    if (attempt := self._attempts.get(number)) is not None:
                        self._events.add(attempt, Event(kind, content))
                case Batched(size, waited_s, reason):
                    if self._loaded.done():
                        self._metrics.batch(self._loaded.result().name, size, waited_s, reason)
                case Pong(problem):
                    self._pinged_at_s, self._trouble = None, problem
                case Loaded(card) if not self._loaded.done():
                    self._batch_size = self._launch.max_batch_size or card.max_batch_size
                    self._cells = self._batch_size * (self._launch.concurrency or card.concurrency)
                    self._loaded.set_result(card)
                case LoadFailed(sentence, details) if not self._loaded.done():
                    self._loaded.set_exception(TargetError(sentence, details))
                case _:
                    self._channel.abort()

    def _end(self, ending: Succeeded | Failed | Stopped) -> None:
        if ending.number in self._abandoned:
            self._abandoned.discard(ending.number)
            self._endings.note_room()
            return
        attempt = self._attempts.get(ending.number)
        if attempt is None or not 0 <= ending.run_s < float("inf"):
            self._channel.abort()  # the first is of an attempt that it does not have
            return
        if len(self._attempts) == 1:  # else what came below Python may be of another
            self._log.drain()
        del self._attempts[ending.number]
        self._ended(attempt, ending)

    def _ended(self, attempt: Attempt, ending: Ending) -> None:
        self._endings.add(attempt, ending)
        self._fewer.set()

    def _lost(self) -> None:
        self._disconnected.set()

    def _lose_all(self, cause: str) -> None:
        if not self._loaded.done():
            self._loaded.set_exception(TargetError(f"The process that was loading the model {cause}."))
        self._loaded.exception()  # without a waiter it is not an error; the cause is in the log
        had = set(self.begun())
        attempts, self._attempts = self._attempts, {}
        for attempt in attempts.values():
            self._ended(attempt, Lost(cause, begun=attempt in had))

    def _forget_begun(self) -> None:
        if self._begun >= 0:
            os.close(self._begun)
            self._begun = -1


def describe_exit(code: int) -> str:
    """An exit code of `subprocess` in words."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "number"
    return f"was killed by signal {name} ({-code})"


def _command(socket_descriptor: int, begun_descriptor: int) -> list[str]:
    # -P: a file in the current folder named like one of our modules must not take its place.
    return [sys.executable, "-P", "-m", "zypher.replica.process", str(socket_descriptor), str(begun_descriptor)]


def _load(launch: Launch, log_mark: bytes) -> Load:
    return Load(
        target=launch.target,
        slots=launch.concurrency,
        path=list(launch.import_path),
        device="",
        environment={},
        max_output_bytes=launch.max_output_bytes,
        max_batch_size=launch.max_batch_size,
        max_batch_wait_s=launch.max_batch_wait_s,
        log=launch.log,
        log_mark=log_mark,
    )
