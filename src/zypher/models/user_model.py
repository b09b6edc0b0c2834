"""What a target names, ready to be called: a function, or an instance of a class."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import cast

import msgspec

from zypher.errors import TargetError
from zypher.models.hints import Predict
from zypher.models.user_error import target_error

_NO_METHOD = "{} has no method `predict`: give it one that takes the input, or `predict_batch` for many at once."


class UserModel(msgspec.Struct, frozen=True):
    """A thing to serve."""

    holder: object  # may have the attributes `name` and `concurrency`, and as an instance `setup` and `close`
    predict: Predict | None  # None of an instance that has only `predict_batch`
    owner: type | None  # the class of an instance, None of a function
    name: str  # unless `holder` has its own
    predict_batch: Predict | None = None

    def label(self, step: str = "") -> str:
        """What messages call one of its functions, the one that predicts unless they name another."""
        step = step or ("predict_batch" if self.predict is None else "predict")
        return f"`{self.owner.__qualname__}.{step}`" if self.owner else f"`{self.name}`"


def user_model_of(found: object, name: str) -> UserModel:
    """What to serve of the object that a target names, whose last word is `name`.

    An instance is made of a class. Raises `TargetError` when there is nothing to call.
    """
    if inspect.isclass(found):
        return _of_instance(_instance(found))
    if isinstance(found, ModuleType):
        raise TargetError(f"`{name}` is a module: name a function or a class in it.")
    if (hasattr(found, "predict") or hasattr(found, "predict_batch")) and not inspect.isroutine(found):
        return _of_instance(found)
    if callable(found):
        own_name = getattr(found, "__name__", "")
        return UserModel(found, found, None, own_name if own_name.isidentifier() else name)
    raise TargetError(
        f"`{name}` is a `{type(found).__qualname__}`, which cannot be called: name a function or a class."
    )


def _of_instance(instance: object) -> UserModel:
    owner = type(instance)
    predict: object = getattr(instance, "predict", instance if callable(instance) else None)
    predict_batch: object = getattr(instance, "predict_batch", None)
    for name, method in (("predict", predict), ("predict_batch", predict_batch)):
        if method is not None and not callable(method):
            raise TargetError(f"`{owner.__qualname__}.{name}` is no method: give it one that takes the input.")
    if predict is None and predict_batch is None:
        raise TargetError(_NO_METHOD.format(f"`{owner.__qualname__}`"))
    return UserModel(
        instance, cast(Predict | None, predict), owner, owner.__name__, cast(Predict | None, predict_batch)
    )


def _instance(found: type) -> object:
    has_method = any(callable(getattr(found, name, None)) for name in ("predict", "predict_batch"))
    if not has_method and not any("__call__" in vars(base) for base in found.__mro__):
        raise TargetError(_NO_METHOD.format(f"The class `{found.__qualname__}`"))
    if missing := _required_arguments(found):
        raise TargetError(
            f"`{found.__qualname__}()` requires {missing}, but a model's class is called without arguments: "
            "give them defaults, or do in `setup` what needs them."
        )
    try:
        return found()
    except BaseException as error:
        raise target_error(f"`{found.__qualname__}()`", error) from error


def _required_arguments(function: Callable[..., object]) -> str:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a class written in C
        return ""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [p.name for p in signature.parameters.values() if p.default is p.empty and p.kind not in variadic]
    return ", ".join(f"`{name}`" for name in required)
