"""The worker's end of one replica: its process, its socket and the attempts that run in it."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress

import msgspec

from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.prediction import Delivery
from zypher.settings import LogSettings
from zypher.settings.resolve import environment_of_children
from zypher.worker.channel import Channel
from zypher.worker.messages import Failed, Loaded, LoadFailed, Run, Succeeded, ToWorker, decode_to_worker

_WROTE_TO_US = "wrote to the socket of its worker and was ended; a model may write only to descriptors that it opened"
_GRACE_S = 1.0  # from the closing of the socket to SIGKILL


class Launch(msgspec.Struct, frozen=True):
    """How a replica's process is started."""

    target: str
    concurrency: int | None  # slots; None: what the model states
    log: LogSettings  # with the format chosen


class Lost(msgspec.Struct, frozen=True):
    """An attempt whose replica died."""

    cause: str  # such as "was killed by signal SIGSEGV (11)"
    begun: bool = True  # False when the replica was gone before it could begin


Ending = Succeeded | Failed | Lost


class Replica:
    """A child process that holds one loaded copy of a model."""

    def __init__(self, number: int, launch: Launch) -> None:
        self.number = number
        self.card: ModelCard | None = None
        self.slots = 0  # attempts it can run at once; 0 before it is ready and after its death
        self.begun = 0  # attempts that it was given
        self._cause: str | None = None  # what became of the process
        self._launch = launch
        self._loop = asyncio.get_running_loop()
        self._loaded: asyncio.Future[ModelCard] = self._loop.create_future()
        self._disconnected = asyncio.Event()
        self._attempts: dict[int, asyncio.Future[Ending]] = {}
        self._channel = Channel(self._received, self._lost)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process. Whether it can work, `loaded` tells."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *_command(self._launch, theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    env=environment_of_children(),
                    pass_fds=(theirs.fileno(),),
                )
            await self._channel.open(ours)
        except BaseException:
            ours.close()
            self.kill()
            raise

    async def loaded(self) -> ModelCard:
        """The model's card once it is set up. Raises `TargetError`, also when the process dies before."""
        return await asyncio.shield(self._loaded)

    def run(self, delivery: Delivery) -> "asyncio.Future[Ending]":
        """Begin an attempt; the future tells its ending and never raises."""
        ending: asyncio.Future[Ending] = self._loop.create_future()
        if not self.slots:
            ending.set_result(Lost(self._cause or "has ended", begun=False))
            return ending
        self.begun += 1
        self._attempts[self.begun] = ending
        self._channel.send(Run(self.begun, delivery.message.prediction_id, delivery.message.input))
        return ending

    async def ended(self) -> str:
        """Return once the process is gone: what became of it, such as "exited with code 3"."""
        code = await self._exit_code()
        self._cause = _WROTE_TO_US if self._channel.broken else describe_exit(code)
        self.kill()
        self._fail_all(self._cause)
        return self._cause

    async def _exit_code(self) -> int:
        """Wait for the socket or the process to end, whichever is first, and then for the process."""
        assert self._process is not None
        exited = asyncio.ensure_future(self._process.wait())
        # Both are watched: a process that the model forked may hold the socket open after the replica's death.
        disconnected = asyncio.ensure_future(self._disconnected.wait())
        await asyncio.wait({exited, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        if exited.done():
            self.kill()  # what it forked; then the socket ends, after the last answer in it
            await asyncio.wait({disconnected}, timeout=_GRACE_S)
        disconnected.cancel()
        self.stop()
        await asyncio.wait({exited}, timeout=_GRACE_S)
        self.kill()
        return await exited

    def stop(self) -> None:
        """Tell the process to go, by closing its socket."""
        self._channel.close()

    def kill(self) -> None:
        """End the process, and those that the model started in it, at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.returncode is None:  # it may not lead its group yet
            self._process.kill()

    def _received(self, body: bytes) -> None:
        for message in decode_to_worker(body):
            self._hear(message)

    def _hear(self, message: ToWorker) -> None:
        match message:
            case Succeeded() | Failed() as ending:
                self._end(ending)
            case Loaded(card):
                self.card, self.slots = card, self._launch.concurrency or card.concurrency
                self._loaded.set_result(card)
            case LoadFailed(sentence, details):
                self._loaded.set_exception(TargetError(sentence, details))

    def _lost(self) -> None:
        self.slots = 0
        self._disconnected.set()

    def _end(self, ending: Succeeded | Failed) -> None:
        attempt = self._attempts.pop(ending.number, None)
        if attempt is not None and not attempt.done():
            attempt.set_result(ending)

    def _fail_all(self, cause: str) -> None:
        if not self._loaded.done():
            self._loaded.set_exception(TargetError(f"The process that was loading the model {cause}."))
        self._loaded.exception()  # nobody may be waiting; the cause is in the log
        attempts, self._attempts = self._attempts, {}
        for attempt in attempts.values():
            if not attempt.done():
                attempt.set_result(Lost(cause))


def describe_exit(code: int) -> str:
    """An exit code of `subprocess` in words."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "number"
    return f"was killed by signal {name} ({-code})"


def _command(launch: Launch, descriptor: int) -> list[str]:
    # -P: a file in the current folder named like one of our modules must not take its place.
    return [
        *(sys.executable, "-P", "-m", "zypher.worker.replica_process"),
        str(descriptor),
        launch.target,
        str(launch.concurrency or 0),
        launch.log.format,
        launch.log.level,
    ]
