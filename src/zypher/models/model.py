"""A model: what a user writes, and the loaded thing that a replica calls.

A user writes a plain function, or a class:

    def predict(text: str) -> str: ...  # or `async def`

    class Digits:
        concurrency = 4  # optional: slots per replica, 1 otherwise
        timeout_s = 30  # optional: the longest run of an attempt
        name = "digits"  # optional: instead of the class's own
        max_batch_size = 32  # optional: inputs that `predict_batch` takes at once, 32 otherwise
        max_batch_wait_ms = 5  # optional: how long an input waits for others, 0 otherwise
        nan = "null"  # optional: NaN and the infinities become null, and are failures otherwise

        def setup(self) -> None: ...  # optional, once in each replica
        def predict(self, pixels: list[float]) -> int: ...
        def predict_batch(self, inputs: list[list[float]]) -> list[int]: ...  # optional, or instead of `predict`
        def close(self) -> None: ...  # optional, when the replica ends

One parameter takes the input itself; several are the fields of an object: `predict(self, prompt: str, size: int = 8)`
takes {"prompt": "…", "size": 4}.

`predict` serves what comes alone. Each method may be `async def`, these two only both.
A function states the same as attributes: `predict.concurrency = 4`.
A `def` with one slot runs in the main thread, with more in threads, too; an `async def` in tasks of one event loop.
"""

import inspect
import math
from collections.abc import Awaitable, Callable
from typing import cast

from zypher.errors import TargetError
from zypher.model_card import ModelCard
from zypher.models.batch import BatchPredict, beside_predict, one_by_one
from zypher.models.hints import Predict, is_async, underlying
from zypher.models.libraries import unwrapped
from zypher.models.output import OutputEncoder
from zypher.models.parameters import of_input
from zypher.models.signature import Signature, read_signature
from zypher.models.user_error import target_error
from zypher.models.user_model import UserModel

_BATCH_SIZE = 32  # of a model that has `predict_batch` and states none


class LoadedModel:
    """A model in this process: `setup` first, then predictions from as many threads or tasks as there are slots."""

    def __init__(self, user_model: UserModel) -> None:
        """Describe a model. Raises `TargetError` when it cannot be served."""
        self._user_model = user_model
        single = _single(user_model)
        signature = read_signature(single, user_model.owner, user_model.label())
        self._predict = of_input(single, signature.parameters, unwrapped, signature.iterators)
        self._decode = signature.decoder.decode
        self._encode = OutputEncoder(nan_is_null=_writes_null(user_model)).encode
        self.batch = _batch(user_model, signature)  # None of a model without `predict_batch`
        self.is_async = _is_async(user_model)  # whether `predict` returns an awaitable
        self.card = ModelCard(
            name=_own_name(user_model),
            description=inspect.cleandoc((user_model.owner or underlying(single)).__doc__ or ""),
            input_schema=signature.input_schema,
            output_schema=signature.output_schema,
            components=signature.components,
            concurrency=_own_whole_number(user_model, "concurrency", 1),
            timeout_s=_own_span(user_model, "timeout_s", "of seconds, 0 for no limit"),
            acceptance_schema=signature.acceptance_schema,
            max_batch_size=1 if self.batch is None else _own_whole_number(user_model, "max_batch_size", _BATCH_SIZE),
            max_batch_wait_ms=_own_span(user_model, "max_batch_wait_ms", "of milliseconds") or 0.0,
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


def _single(user_model: UserModel) -> Predict:
    """A function of one input."""
    if user_model.predict is not None:
        return user_model.predict
    assert user_model.predict_batch is not None, "a model has one of the two"
    return one_by_one(user_model.predict_batch, user_model.owner, user_model.label("predict_batch"))


def _batch(user_model: UserModel, single: Signature) -> BatchPredict | None:
    label = user_model.label("predict_batch")
    if user_model.predict_batch is None:
        return None
    if user_model.predict is None:
        return BatchPredict(user_model.predict_batch, single.decoder.decode, label)
    return beside_predict(user_model.predict_batch, single, user_model.owner, label)


def _is_async(user_model: UserModel) -> bool:
    functions = {"predict": user_model.predict, "predict_batch": user_model.predict_batch}
    kinds = {name: is_async(each, user_model.label(name)) for name, each in functions.items() if each is not None}
    if len(set(kinds.values())) > 1:
        raise TargetError(f"{user_model.label()} and `predict_batch` must both be `def`, or both `async def`.")
    return any(kinds.values())


def _own_name(user_model: UserModel) -> str:
    name = _own(user_model, "name", user_model.name)
    if not isinstance(name, str):
        return user_model.name
    if not name.strip():
        raise TargetError(f"The `name` that {user_model.label()} states must be a text, not {name!r}.")
    return name


def _own_whole_number(user_model: UserModel, attribute: str, default: int) -> int:
    number = _own(user_model, attribute, default)
    if not isinstance(number, int) or isinstance(number, bool):
        return default
    if number < 1:
        raise TargetError(
            f"The `{attribute}` that {user_model.label()} states must be a whole number from 1, not {number!r:.100}."
        )
    return number


def _own_span(user_model: UserModel, attribute: str, unit: str) -> float | None:
    span = _own(user_model, attribute, None)
    if not isinstance(span, int | float) or isinstance(span, bool):
        return None
    if not 0 <= span < math.inf:
        raise TargetError(
            f"The `{attribute}` that {user_model.label()} states must be a number {unit}, not {span!r:.100}."
        )
    return float(span)


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
