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
        self.ahead = 0
        self.pid = number
        self.running: list[Attempt] = []
        self.batch: list[Attempt] = []  # those that run together
        self.deaf: list[Attempt] = []  # those that were abandoned
        self._fewer = asyncio.Event()
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

    @property
    def abandoned(self) -> int:
        return len(self.deaf)

    @property
    def attempts(self) -> list[Attempt]:
        return list(self.running)

    @property
    def alive(self) -> bool:
        return not self._death.done()

    async def start(self) -> None:
        if self._refusal:
            self.die("exited with code 0")

    async def loaded(self) -> ModelCard:
        if self._gate is not None:
            await self._pass_gate(self._gate)
        if self._refusal:
            raise TargetError(self._refusal)
        self.slots = self._capacity
        return self.card

    async def _pass_gate(self, gate: asyncio.Event) -> None:
        opened = asyncio.ensure_future(gate.wait())
        try:
            await asyncio.wait(
                {opened} if self._refusal else {opened, self._death}, return_when=asyncio.FIRST_COMPLETED
            )
            if not opened.done():
                raise TargetError(f"The process that was loading the model {self._death.result()}.")
        finally:
            opened.cancel()

    def run(self, attempt: Attempt) -> None:
        self.has_run = True
        self.running.append(attempt)

    def stop(self, attempt: Attempt, reason: StopReason) -> None:
        self.stopped.append((attempt, reason))

    def begun(self) -> list[Attempt]:
        return [attempt for attempt in self.running if attempt in self._begun]

    def beside(self, attempt: Attempt) -> list[Attempt]:
        return [each for each in self.batch if each is not attempt and each in self.running and attempt in self.batch]

    def abandon(self, attempt: Attempt, ending: Ending) -> None:
        self.running.remove(attempt)
        self._fewer.set()
        self.deaf.append(attempt)
        self.slots -= 1
        self._endings.add(attempt, ending)

    async def emptied(self) -> None:
        while self.running:
            self._fewer.clear()
            await self._fewer.wait()

    def ping(self) -> None:
        self.pings += 1

    def is_silent(self, silence_s: float) -> bool:
        return self.silent_s >= silence_s

    def trouble(self, silence_s: float) -> str | None:
        return f"has not answered for {self.silent_s:.0f} s" if self.is_silent(silence_s) else None

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
        if attempt in self.deaf:
            self.deaf.remove(attempt)
            self.slots += 1
            self._endings.note_room()
            return
        self.running.remove(attempt)
        self._fewer.set()
        self._endings.add(attempt, ending)

    def die(self, cause: str) -> None:
        """Let the process end, and all that runs in it."""
        if self._death.done():
            return
        begun, self.slots = set(self.begun()), 0
        for attempt in list(self.running):
            self.end(attempt, Lost(cause, begun=attempt in begun))
        self._death.set_result(cause)
