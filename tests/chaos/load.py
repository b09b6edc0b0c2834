"""Callers that submit and read over HTTP, in every way that the contract offers."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncGenerator, Mapping, Sequence

import httpx
import msgspec

from tests.chaos.ledger import Ledger, Result
from tests.chaos.question import Question

_CALLERS = 12
_READERS = 4
_PAUSE_S = 0.3  # of a caller, on average
_TRY_AGAIN_S = 0.2
_ANSWER_S = 10.0  # far longer than a reading or a refusal takes
_PATIENCE_S = 120.0  # of those who wait for the end
_WAIT_S = 1  # of those who wait a little; the contract knows whole seconds
_AT_ONCE = 16  # readings, in the end

_PENDING = "Prediction is still being processed."
_ASYNC = {"Async-Mode": "true"}


class _Stored(msgspec.Struct):
    output: msgspec.Raw


class _Said(msgspec.Struct):
    error: str


class Load:
    """Keeps a ledger of what the servers at `urls` accept and answer."""

    def __init__(self, urls: Sequence[str], ledger: Ledger, folder: str, seed: int) -> None:
        self.refusals_s: list[float] = []  # how long each 503 took that refused a prediction
        self._urls = urls
        self.ledger = ledger
        self._folder = folder
        self._seed = seed
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)
        self._stopped = asyncio.Event()
        self._callers: list[asyncio.Task[None]] = []
        limits = httpx.Limits(max_connections=None)
        self._client = httpx.AsyncClient(limits=limits, trust_env=False, verify=False)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Submits inside until `stop`, and reads what has ended and what has not."""
        async with self._client, asyncio.TaskGroup() as tasks:
            self._callers = [tasks.create_task(self._call()) for _ in range(_CALLERS)]
            for _ in range(_READERS):
                tasks.create_task(self._read_open())
            yield

    async def stop(self) -> None:
        """Ask nothing new, and return once everything asked before is answered."""
        self._stopped.set()
        await asyncio.wait(self._callers)

    async def read_all(self, patience_s: float) -> None:
        """Read everything that was accepted once, waiting until it has ended."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def read(prediction_id: str) -> None:
            async with room:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(deadline):
                        await self._read_to_end(prediction_id)

        deadline = asyncio.get_running_loop().time() + patience_s
        await asyncio.gather(*map(read, self.ledger.all()))

    async def _call(self) -> None:
        ways = (self._submit, self._submit_with_key, self._wait, self._wait_a_little)
        while not self._stopped.is_set():
            (way,) = self._chance.choices(ways, (5, 3, 1, 2))
            await way(Question.drawn(next(self._numbers), self._chance))
            await asyncio.sleep(self._chance.expovariate(1 / _PAUSE_S))

    async def _submit(self, question: Question) -> None:
        """Without a key an unheard answer must not be asked for again: then nothing was promised."""
        await self._post(question, _ASYNC)

    async def _submit_with_key(self, question: Question) -> None:
        """Sent twice at the same time, and again until both were heard."""
        await asyncio.gather(self._insist(question), self._insist(question))

    async def _insist(self, question: Question) -> None:
        while not await self._post(question, _ASYNC, self._key(question)):
            await asyncio.sleep(_TRY_AGAIN_S)

    async def _wait(self, question: Question) -> None:
        """Through all attempts, however long; when the server dies, so does the answer."""
        await self._post(question, {}, timeout_s=_PATIENCE_S)

    async def _wait_a_little(self, question: Question) -> None:
        await self._post(question, {"Prefer": f"wait={_WAIT_S}"})

    def _key(self, question: Question) -> str:
        return f"{self._seed}-{question.number}"

    async def _post(
        self, question: Question, headers: Mapping[str, str], key: str | None = None, timeout_s: float = _ANSWER_S
    ) -> bool:
        """Whether there was an answer other than `try again`."""
        with_key = {} if key is None else {"Idempotency-Key": key}
        input = {"input": question.input(self._folder)}
        began = time.monotonic()
        answer = await self._ask("POST", "", json=input, headers={**headers, **with_key}, timeout_s=timeout_s)
        if answer is None:
            return False
        if answer.status_code == 503:
            self.refusals_s.append(time.monotonic() - began)
            return False
        if answer.status_code == 202:
            self.ledger.accepted(answer.headers["prediction-id"], question, key)
        elif (result := _of_caller(answer)) is not None:
            self.ledger.answered(question, result, answer.headers.get("prediction-id", ""))
        else:
            self.ledger.strange.append(f"POST was answered with {answer.status_code} {answer.text}")
        return True

    async def _read_open(self) -> None:
        while not self._stopped.is_set():
            if waiting := self.ledger.open():
                await self._read(self._chance.choice(waiting[:100]), wait_s=1)
            if ended := self.ledger.all():
                await self._read(self._chance.choice(ended), wait_s=0)
            await asyncio.sleep(_TRY_AGAIN_S * self._chance.random())

    async def _read_to_end(self, prediction_id: str) -> None:
        while not await self._read(prediction_id, wait_s=2):
            await asyncio.sleep(_TRY_AGAIN_S)

    async def _read(self, prediction_id: str, wait_s: int) -> bool:
        """Look once; whether it is known how it ended, or that it is not known."""
        had_result = self.ledger.has_result(prediction_id)
        answer = await self._ask("GET", f"/{prediction_id}?wait={wait_s}")
        if answer is None or answer.status_code == 503:
            return False
        if answer.status_code == 400 and _said(answer) == _PENDING:
            if had_result:
                self.ledger.undone(prediction_id)
            return False
        if (result := _of_reader(answer)) is not None:
            self.ledger.read(prediction_id, result)
        elif answer.status_code == 404:
            self.ledger.missed(prediction_id)
        else:
            self.ledger.strange.append(f"GET {prediction_id} was answered with {answer.status_code} {answer.text}")
        return True

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = _ANSWER_S,
    ) -> httpx.Response | None:
        """Any server's answer; None when there is none, as there may be when it was just killed."""
        url = f"{self._chance.choice(self._urls)}/predict{path}"
        try:
            return await self._client.request(method, url, json=json, headers=headers, timeout=timeout_s)
        except httpx.TimeoutException:
            self.ledger.strange.append(f"{method} was not answered in {timeout_s} s")
        except httpx.TransportError:
            pass
        return None


def _of_caller(answer: httpx.Response) -> Result | None:
    return Result(answer.content) if answer.status_code == 200 else _failed(answer)


def _of_reader(answer: httpx.Response) -> Result | None:
    if answer.status_code != 200:
        return _failed(answer)
    return Result(bytes(msgspec.json.decode(answer.content, type=_Stored).output))


def _failed(answer: httpx.Response) -> Result | None:
    about_prediction = answer.status_code == 500 and "prediction-id" in answer.headers
    return Result(error=_said(answer)) if about_prediction else None


def _said(answer: httpx.Response) -> str:
    return msgspec.json.decode(answer.content, type=_Said).error
