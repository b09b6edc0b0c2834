"""The events that wait to be published."""

import asyncio

import pytest

from tests.contract.phrases import turns
from tests.unit.worker.conftest import attempts
from zypher.engines.contract import EVENT_BYTES, MOST_EVENT_BYTES
from zypher.prediction import Event, EventKind
from zypher.worker.events import Events


def progress(number: int) -> Event:
    return Event(EventKind.PROGRESS, b"%d" % number)


def output(length: int) -> Event:
    return Event(EventKind.OUTPUT, b"x" * length)


@pytest.fixture
async def events() -> Events:
    return Events()


async def test_events_are_taken_once_and_in_order(events: Events) -> None:
    first, second = attempts(2)
    taking = asyncio.create_task(events.take())
    await turns()
    assert not taking.done()
    for attempt, number in ((first, 1), (second, 2), (first, 3)):
        events.add(attempt, progress(number))
    assert await taking == [(first, [progress(1), progress(3)]), (second, [progress(2)])]
    events.add(second, progress(4))
    assert await events.take() == [(second, [progress(4)])]


async def test_the_oldest_of_too_many_are_dropped(events: Events) -> None:
    talkative, other = attempts(2)
    fit = MOST_EVENT_BYTES // (1000 + EVENT_BYTES)
    events.add(other, progress(0))
    for number in range(3 * fit):
        events.add(talkative, Event(EventKind.OUTPUT, b"%1000d" % number))
    taken = dict(await events.take())
    assert [int(event.content) for event in taken[talkative]] == list(range(2 * fit, 3 * fit))
    assert taken[other] == [progress(0)]


async def test_the_newest_waits_however_large_it_is(events: Events) -> None:
    (attempt,) = attempts(1)
    for event in (progress(1), output(2 * MOST_EVENT_BYTES)):
        events.add(attempt, event)
    assert await events.take() == [(attempt, [output(2 * MOST_EVENT_BYTES)])]
    for event in (output(2 * MOST_EVENT_BYTES), progress(2)):
        events.add(attempt, event)
    assert await events.take() == [(attempt, [progress(2)])]


async def test_events_are_unpublished_until_they_are_done(events: Events) -> None:
    first, second, silent = given = attempts(3)
    assert events.unpublished(given) == set()
    events.add(first, progress(1))
    events.add(second, progress(2))
    assert events.unpublished(given) == {first, second}
    published = asyncio.create_task(events.published([first, silent]))
    await events.take()
    events.add(first, progress(3))
    events.done(first)
    await turns()
    assert (events.unpublished(given), published.done()) == ({first, second}, False)
    await events.take()
    events.done(first)
    await published
    assert events.unpublished(given) == {second}


async def test_dropped_events_wait_no_more(events: Events) -> None:
    first, second = given = attempts(2)
    for attempt in given:
        events.add(attempt, progress(1))
    published = asyncio.create_task(events.published([first]))
    await turns()
    events.drop([first])
    await published
    assert await events.take() == [(second, [progress(1)])]
    events.drop([second])
    await events.published(given)
