"""The order of a queue against a model of it that is too simple to be wrong."""

import asyncio
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from zypher.engines.embedded.memory.entry import Entry, Stage
from zypher.engines.embedded.memory.queue import HOT_INPUT_BYTES, HOT_MESSAGES, Queue, Receiver
from zypher.prediction import NO_OPTIONS, PRIORITIES, Lane, Message, Options

AT = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = st.lists(st.tuples(st.sampled_from(["join", "take", "return", "leave", "delay", "due"]), st.integers(0, 50)))
OPTIONS = [Options(lane=lane) for lane in PRIORITIES]


def joined(queue: Queue, name: str = "p", row: int = 0, input: bytes = b"1", options: Options = NO_OPTIONS) -> Entry:
    entry = Entry(name, "model", AT, options=options)
    message = Message(name, "model", input, AT, options)
    queue.enter(entry, message)
    queue.stop_holding(entry)
    entry.row = row
    if row:
        queue.keep(entry, message)
    else:
        entry.message = message
    queue.join(entry)
    return entry


class SimpleQueue:
    """A sorted list of those that wait, and those that are out."""

    def __init__(self) -> None:
        self.queue = Queue()
        self.ready: list[Entry] = []
        self.out: list[Entry] = []
        self.delayed: list[Entry] = []

    def join(self, number: int) -> None:
        self._insert(joined(self.queue, options=OPTIONS[number % 3]))

    def take(self, number: int) -> None:
        expected, self.ready = self.ready[:number], self.ready[number:]
        assert self.queue.take(PRIORITIES, number) == expected
        self.out += expected

    def back(self, number: int) -> None:
        if self.out:
            entry = self.out.pop(number % len(self.out))
            self.queue.give_back(entry)
            self.queue.put_back(entry)
            self._insert(entry)

    def leave(self, number: int) -> None:
        if self.ready:
            self.queue.leave(self.ready.pop(number % len(self.ready)))

    def delay(self, number: int) -> None:
        if self.out:
            entry = self.out.pop(number % len(self.out))
            self.queue.give_back(entry)
            self.delayed.append(entry)

    def due(self, number: int) -> None:
        if self.delayed:
            entry = self.delayed.pop(number % len(self.delayed))
            self.queue.put_back(entry)
            self._insert(entry)

    def _insert(self, entry: Entry) -> None:
        self.ready = sorted([*self.ready, entry], key=lambda each: (PRIORITIES.index(each.lane), each.number))

    def check(self) -> None:
        assert self.queue.queued == len(self.ready) + len(self.delayed)
        assert self.queue.running == len(self.out)
        assert self.queue.first(PRIORITIES) is (self.ready[0] if self.ready else None)
        assert all(1 <= self.queue.position(entry) <= self.queue.queued for entry in self.ready + self.delayed)


@given(STEPS)
def test_every_history_keeps_the_order(steps: list[tuple[str, int]]) -> None:
    simple = SimpleQueue()
    actions = {
        "join": simple.join,
        "take": simple.take,
        "return": simple.back,
        "leave": simple.leave,
        "delay": simple.delay,
        "due": simple.due,
    }
    for name, number in steps:
        actions[name](number)
        simple.check()


def test_positions_count_those_that_came_back() -> None:
    queue = Queue()
    entries = [joined(queue) for _ in range(5)]
    for entry in queue.take(PRIORITIES, 2):
        queue.give_back(entry)
        queue.put_back(entry)
    assert [queue.position(entry) for entry in entries] == [1, 1, 3, 4, 5]


def test_a_position_is_within_the_queue_though_others_left() -> None:
    queue = Queue()
    entries = [joined(queue) for _ in range(5)]
    for entry in entries[1:3]:
        queue.leave(entry)
    assert queue.position(entries[3]) == 3


def test_those_that_leave_do_not_pile_up() -> None:
    queue = Queue()
    stays = joined(queue)
    for _ in range(10_000):
        queue.leave(joined(queue))
    assert len(queue.cold(Lane.NORMAL, 1)) == 0
    joined(queue)
    assert queue.position(stays) == 1
    assert sum(1 for _ in queue.take(PRIORITIES, 10)) == 2


def test_only_the_first_small_messages_stay_in_memory() -> None:
    queue = Queue()
    large = joined(queue, row=1, input=b"1" * (HOT_INPUT_BYTES + 1))
    entries = [joined(queue, row=2 + number) for number in range(HOT_MESSAGES + 5)]
    held = [entry for entry in entries if entry.message is not None]
    assert held == entries[:HOT_MESSAGES]
    assert queue.cold(Lane.NORMAL, 3) == [large]
    assert queue.take(PRIORITIES, 10) == []  # the first of them has to be read before any other goes


def test_memory_for_messages_is_freed() -> None:
    queue = Queue()
    entries = [joined(queue, row=1 + number) for number in range(HOT_MESSAGES)]
    assert joined(queue, row=5000).message is None
    for entry in queue.take(PRIORITIES, 3):
        queue.give_back(entry)  # delayed: it holds its message on
    queue.leave(entries[10])
    assert joined(queue, row=5001).message is not None
    assert joined(queue, row=5002).message is None


def test_one_that_is_written_down_while_it_waits_takes_room() -> None:
    queue = Queue()
    entry = joined(queue)
    queue.set_row(entry, 7)
    others = [joined(queue, row=10 + number) for number in range(HOT_MESSAGES)]
    assert others[-1].message is None
    queue.set_row(entry, 0)  # the disk refused it
    assert joined(queue, row=9000).message is not None


def test_one_that_is_written_down_while_it_runs_takes_none() -> None:
    queue = Queue()
    entry = joined(queue)
    assert queue.take(PRIORITIES, 1) == [entry]
    queue.set_row(entry, 7)
    others = [joined(queue, row=10 + number) for number in range(HOT_MESSAGES)]
    assert others[-1].message is not None
    queue.give_back(entry)  # with its message
    queue.leave(others[0])
    assert joined(queue, row=9000).message is None


async def test_a_returned_prediction_wakes_one_receiver() -> None:
    queue = Queue()
    lanes = [(Lane.LOW,), PRIORITIES, PRIORITIES, PRIORITIES]
    receivers = [Receiver(each, asyncio.get_running_loop().create_future()) for each in lanes]
    receivers[1].woken.cancel()
    queue.receivers.extend(receivers)
    entry = joined(queue)
    assert [receiver.woken.done() for receiver in receivers] == [False, True, True, False]
    assert entry.stage is Stage.READY
    joined(queue, options=Options(lane=Lane.LOW))
    assert receivers[0].woken.done()


def test_run_times_of_zero_are_ignored() -> None:
    queue = Queue()
    for run_s in (0.0, 10.0, 0.0, 20.0):
        queue.observe(run_s)
    assert queue.run_s == 11.0
