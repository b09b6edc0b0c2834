"""Whatever the model raises, its attempt ends."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from zypher.models.model import LoadedModel
from zypher.models.user_model import user_model_of
from zypher.worker.attempts import Attempts
from zypher.worker.messages import Failed, Run, Succeeded
from zypher.worker.replica import describe_exit


class Unreadable(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


def unreadable(_: object) -> None:
    raise Unreadable


def deep(_: object) -> None:
    def fall(depth: int) -> None:
        try:
            fall(depth + 1)
        except Exception as error:
            raise ValueError(depth) from error

    fall(0)


def long_chain(_: object) -> None:
    error: Exception = ValueError("first")
    for number in range(3_000):
        following = ValueError(number)
        following.__cause__ = error
        error = following
    raise error


def leaves(_: object) -> None:
    raise SystemExit(4)


async def leaves_async(_: object) -> None:
    raise KeyboardInterrupt


def same(input: object) -> object:
    return input


@pytest.mark.parametrize("predict", [unreadable, deep, long_chain, leaves, leaves_async])
async def test_a_hostile_exception_is_a_failure_and_frees_its_slot(predict: Callable[[object], object]) -> None:
    endings: asyncio.Queue[Succeeded | Failed] = asyncio.Queue()
    attempts = Attempts(LoadedModel(user_model_of(predict, "predict")), 1, endings.put_nowait)

    for number in (1, 2):
        attempts.begin(Run(number, "id", b"1"))
        ending = await endings.get()
        assert isinstance(ending, Failed)
        assert ending.number == number
        assert ending.message
        assert len(ending.details) < 200_000
    await attempts.close()


async def test_without_more_threads_attempts_share_the_existing_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endings: asyncio.Queue[Succeeded | Failed] = asyncio.Queue()
    attempts = Attempts(LoadedModel(user_model_of(same, "predict")), 10, endings.put_nowait)
    await attempts.set_up()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    attempts.begin_all(Run(number, "id", b"1") for number in range(10))
    assert {(await endings.get()).number for _ in range(10)} == set(range(10))
    await attempts.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exited with code 0"),
        (3, "exited with code 3"),
        (-11, "was killed by signal SIGSEGV (11)"),
        (-63, "was killed by signal number (63)"),
    ],
)
def test_an_exit_is_described(code: int, words: str) -> None:
    assert describe_exit(code) == words
