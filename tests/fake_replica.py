"""A replica without a process: its attempts begin and end when a test says so."""

import asyncio

from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.prediction import Event, EventKind, StopReason
from zypher.worker.attempt import Attempt, Ending, Endings, Lost
from zypher.worker.events import Events
from zypher.worker.protocol import Succeeded

SUCCEEDED = Succeeded(1, b"1", 0.5)
CARD = ModelCard("m", "", {}, {}, {}, 1)


class FakeReplica:
    """Keeps the contract of `zypher.worker.replica`."""

    def __init__(
        self,
        endings: Endings,
        slots: int = 1,
        number: int = 1,
        *,
        events: Events | None = None,
        refusal: str = "",
        card: ModelCard = CARD,
        gate: asyncio.Event | None = None,
    ) -> None:
        self.card = card
        self.number = number
        self.slots = 0
        self.pid = number
        self.running: list[Attempt] = []
        self.stopped: list[tuple[Attempt, StopReason]] = []
        self.silent_s = 0.0
        self.pings = 0
        self.has_run = False
        self.hangs = False  # at its end, until it is killed
        self._begun: set[Attempt] = set()
        self._endings = endings
        self._events = events or Events()
        self._capacity = slots
        self._refusal = refusal  # why the model cannot be loaded
        self._gate = gate  # until it is set, the model is being loaded
        self._death: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        if self._refusal:
            self.die("exited with code 0")

    async def loaded(self) -> ModelCard:
        if self._gate is not None:
            await self._gate.wait()
        if self._refusal:
            raise TargetError(self._refusal)
        self.slots = self._capacity
        return self.card

    def run(self, attempt: Attempt) -> None:
        self.has_run = True
        self.running.append(attempt)

    def stop(self, attempt: Attempt, reason: StopReason) -> None:
        self.stopped.append((attempt, reason))

    def begun(self) -> list[Attempt]:
        return [attempt for attempt in self.running if attempt in self._begun]

    def ping(self) -> None:
        self.pings += 1

    def trouble(self, silence_s: float) -> str | None:
        return f"has not answered for {self.silent_s:.0f} s" if self.silent_s >= silence_s else None

    def close(self) -> None:
        if not self.hangs:
            self.die("exited with code 0")

    def kill(self) -> None:
        self.die("was killed by signal SIGKILL (9)")

    async def ended(self) -> str:
        return await asyncio.shield(self._death)

    def begin(self) -> None:
        """Let the model begin all that it has."""
        self._begun.update(self.running)

    def report(self, attempt: Attempt, *contents: bytes) -> None:
        """Let an attempt report its progress."""
        for content in contents:
            self._events.add(attempt, Event(EventKind.PROGRESS, content))

    def end(self, attempt: Attempt, ending: Ending = SUCCEEDED) -> None:
        """Let an attempt end."""
        self.running.remove(attempt)
        self._endings.add(attempt, ending)

    def die(self, cause: str) -> None:
        """Let the process end, and all that runs in it."""
        if self._death.done():
            return
        begun, self.slots = set(self.begun()), 0
        for attempt in list(self.running):
            self.end(attempt, Lost(cause, begun=attempt in begun))
        self._death.set_result(cause)
