"""A replica's process before its start, and what is said of its end."""

import pytest

from tests.fake_clock import FakeClock
from zypher.settings import LogSettings
from zypher.telemetry.metrics import Metrics
from zypher.worker.attempt import Endings
from zypher.worker.events import Events
from zypher.worker.process_replica import Launch, ProcessReplica, describe_exit

LAUNCH = Launch("model.py", concurrency=3, max_output_bytes=100, log=LogSettings())


async def test_a_replica_has_no_slot_before_its_model(endings: Endings) -> None:
    replica = ProcessReplica(7, LAUNCH, endings, Events(), FakeClock(), Metrics())
    assert (replica.number, replica.slots, replica.pid, replica.has_run) == (7, 0, None, False)
    assert replica.begun() == []
    assert replica.trouble(1) is None


async def test_the_first_unanswered_ping_begins_a_silence(endings: Endings) -> None:
    clock = FakeClock()
    replica = ProcessReplica(7, LAUNCH, endings, Events(), clock, Metrics())
    replica.ping()
    clock.advance(59)
    replica.ping()
    assert replica.trouble(60) is None
    clock.advance(1)
    assert replica.trouble(60) == "has not answered for 60 s"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exited with code 0"),
        (3, "exited with code 3"),
        (-9, "was killed by signal SIGKILL (9)"),
        (-99, "was killed by signal number (99)"),
    ],
)
def test_an_exit_code_is_put_into_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
