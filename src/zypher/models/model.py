"""A model: what a user writes, and the loaded thing that a replica calls.

A user writes a plain function, or a class:

    def predict(text: str) -> str: ...  # or `async def`

    class Digits:
        concurrency = 4  # optional: slots per replica, 1 otherwise
        name = "digits"  # optional: instead of the class's own

        def setup(self) -> None: ...  # optional, once in each replica
        def predict(self, pixels: list[float]) -> int: ...
        def close(self) -> None: ...  # optional, when the replica ends

Each method may be `async def`. A function states the same as attributes: `predict.concurrency = 4`.
Slots of a `def` are threads, slots of an `async def` are tasks of one event loop.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import cast

from zypher.errors import TargetError
from zypher.models.hints import underlying
from zypher.models.output import encode_output
from zypher.models.signature import read_signature
from zypher.models.subject import Subject
from zypher.models.user_error import raised
from zypher.presence import ModelCard


class LoadedModel:
    """A model in this process: `setup` first, then predictions from as many threads or tasks as there are slots."""

    def __init__(self, subject: Subject) -> None:
        """Describe a model. Raises `TargetError` when it cannot be served."""
        self._subject = subject
        self._predict = subject.predict
        self._signature = read_signature(subject.predict, subject.owner, subject.label())
        self._decode = self._signature.decoder.decode
        self.is_async = _is_async(subject)  # whether `predict` returns an awaitable
        self.card = ModelCard(
            name=_stated_name(subject),
            description=inspect.cleandoc((subject.owner or underlying(subject.predict)).__doc__ or ""),
            input_schema=self._signature.input_schema,
            output_schema=self._signature.output_schema,
            components=self._signature.components,
            concurrency=_stated_concurrency(subject),
            acceptance_schema=self._signature.acceptance_schema,
        )

    def setup(self) -> Awaitable[None] | None:
        """Load what the model needs; await what this returns.

        Raises `TargetError`, whatever the user's code raises, SystemExit and the like included; its
        `details` hold the user's own traceback.
        """
        return self._run("setup")

    def decode_input(self, raw: bytes) -> object:
        """The input of JSON bytes. Raises `InvalidInput`."""
        return self._decode(raw)

    def predict(self, value: object) -> object:
        """The output, or an awaitable of it when `is_async`. Raises whatever the user's code raises."""
        return self._predict(value)

    def encode_output(self, value: object) -> bytes:
        """The JSON bytes of an output. Raises `OutputError`."""
        return encode_output(value)

    def close(self) -> Awaitable[None] | None:
        """Let go of what `setup` loaded; await what this returns. Raises as `setup` does."""
        return self._run("close")

    def _run(self, step: str) -> Awaitable[None] | None:
        method = getattr(self._subject.states, step, None) if self._subject.owner else None
        if not callable(method):
            return None
        what = self._subject.label(step)
        try:
            pending = cast(Callable[[], object], method)()
        except BaseException as error:
            raise raised(what, error) from error
        return _finish(what, pending) if inspect.isawaitable(pending) else None


async def _finish(what: str, pending: Awaitable[object]) -> None:
    try:
        await pending
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # a CancelledError is our own doing
        raise raised(what, error) from error


def _is_async(subject: Subject) -> bool:
    functions = (subject.predict, type(subject.predict).__call__)  # the latter of a callable object
    if any(inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f) for f in functions):
        raise TargetError(f"{subject.label()} yields, but a prediction has one output: return it as a whole.")
    return any(inspect.iscoroutinefunction(function) for function in functions)


def _stated_name(subject: Subject) -> str:
    name: object = getattr(subject.states, "name", subject.name)
    if not isinstance(name, str) or not name.strip():
        raise TargetError(f"The `name` that {subject.label()} states must be a text, not {name!r:.100}.")
    return name


def _stated_concurrency(subject: Subject) -> int:
    concurrency: object = getattr(subject.states, "concurrency", 1)
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        raise TargetError(
            f"The `concurrency` that {subject.label()} states must be a whole number from 1, not {concurrency!r:.100}."
        )
    return concurrency
