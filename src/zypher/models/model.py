"""A model: what a user writes, and the loaded thing that a replica calls.

A user writes a plain function, or a class:

    def predict(text: str) -> str: ...  # or `async def`

    class Digits:
        concurrency = 4  # optional: slots per replica, 1 otherwise
        timeout_s = 30  # optional: the longest run of an attempt
        name = "digits"  # optional: instead of the class's own
        nan = "null"  # optional: NaN and the infinities become null, and are failures otherwise

        def setup(self) -> None: ...  # optional, once in each replica
        def predict(self, pixels: list[float]) -> int: ...
        def close(self) -> None: ...  # optional, when the replica ends

One parameter takes the input itself; several are the fields of an object: `predict(self, prompt: str, size: int = 8)`
takes {"prompt": "…", "size": 4}.

Each method may be `async def`. A function states the same as attributes: `predict.concurrency = 4`.
A `def` with one slot runs in the main thread, with more in threads, too; an `async def` in tasks of one event loop.
"""

import inspect
import math
from collections.abc import Awaitable, Callable
from typing import cast

from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.models.hints import underlying
from zypher.models.libraries import unwrapped
from zypher.models.output import OutputEncoder
from zypher.models.parameters import of_input
from zypher.models.signature import read_signature
from zypher.models.user_error import target_error
from zypher.models.user_model import UserModel


class LoadedModel:
    """A model in this process: `setup` first, then predictions from as many threads or tasks as there are slots."""

    def __init__(self, user_model: UserModel) -> None:
        """Describe a model. Raises `TargetError` when it cannot be served."""
        self._user_model = user_model
        self._signature = read_signature(user_model.predict, user_model.owner, user_model.label())
        self._predict = of_input(user_model.predict, self._signature.parameters, unwrapped, self._signature.iterators)
        self._decode = self._signature.decoder.decode
        self._encode = OutputEncoder(nan_is_null=_writes_null(user_model)).encode
        self.is_async = _is_async(user_model)  # whether `predict` returns an awaitable
        self.card = ModelCard(
            name=_own_name(user_model),
            description=inspect.cleandoc((user_model.owner or underlying(user_model.predict)).__doc__ or ""),
            input_schema=self._signature.input_schema,
            output_schema=self._signature.output_schema,
            components=self._signature.components,
            concurrency=_own_concurrency(user_model),
            timeout_s=_own_timeout_s(user_model),
            acceptance_schema=self._signature.acceptance_schema,
            defined_as=user_model.name,
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
        return self._encode(value)

    def close(self) -> Awaitable[None] | None:
        """Let go of what `setup` loaded; await what this returns. Raises as `setup` does."""
        return self._run("close")

    def _run(self, step: str) -> Awaitable[None] | None:
        method = getattr(self._user_model.holder, step, None) if self._user_model.owner else None
        if not callable(method):
            return None
        what = self._user_model.label(step)
        try:
            pending = cast(Callable[[], object], method)()
        except BaseException as error:
            raise target_error(what, error) from error
        return _finish(what, pending) if inspect.isawaitable(pending) else None


async def _finish(what: str, pending: Awaitable[object]) -> None:
    try:
        await pending
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # a CancelledError is our own doing
        raise target_error(what, error) from error


def _is_async(user_model: UserModel) -> bool:
    functions = (user_model.predict, type(user_model.predict).__call__)  # the latter of a callable object
    if any(inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f) for f in functions):
        raise TargetError(f"{user_model.label()} yields, but a prediction has one output: return it as a whole.")
    return any(inspect.iscoroutinefunction(function) for function in functions)


def _own_name(user_model: UserModel) -> str:
    name = _own(user_model, "name", user_model.name)
    if not isinstance(name, str):
        return user_model.name
    if not name.strip():
        raise TargetError(f"The `name` that {user_model.label()} states must be a text, not {name!r}.")
    return name


def _own_concurrency(user_model: UserModel) -> int:
    concurrency = _own(user_model, "concurrency", 1)
    if not isinstance(concurrency, int) or isinstance(concurrency, bool):
        return 1
    if concurrency < 1:
        raise TargetError(
            f"The `concurrency` that {user_model.label()} states must be a whole number from 1, "
            f"not {concurrency!r:.100}."
        )
    return concurrency


def _own_timeout_s(user_model: UserModel) -> float | None:
    timeout_s = _own(user_model, "timeout_s", None)
    if not isinstance(timeout_s, int | float) or isinstance(timeout_s, bool):
        return None
    if not 0 <= timeout_s < math.inf:
        raise TargetError(
            f"The `timeout_s` that {user_model.label()} states must be a number of seconds, 0 for no limit, "
            f"not {timeout_s!r:.100}."
        )
    return float(timeout_s)


def _writes_null(user_model: UserModel) -> bool:
    nan = _own(user_model, "nan", "")
    if isinstance(nan, str) and nan not in ("", "null"):
        raise TargetError(f'The `nan` that {user_model.label()} states must be "null" or left out, not {nan!r:.100}.')
    return nan == "null"


def _own(user_model: UserModel, attribute: str, default: object) -> object:
    """An attribute of the model. One of another type than ours means something else to its author."""
    try:
        return getattr(user_model.holder, attribute, default)
    except BaseException as error:  # of a property
        raise target_error(f"Reading the `{attribute}` that {user_model.label()} states", error) from error
