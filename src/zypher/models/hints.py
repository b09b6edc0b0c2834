"""The parameters of a predict function that take the input, and the type hints of a function."""

import functools
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any, cast

from zypher.errors import TargetError

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

Predict = Callable[..., object]


def python_signature(predict: Predict, label: str) -> inspect.Signature:
    """The parameters and annotations. Raises `TargetError`, which names the function by `label`."""
    try:
        return inspect.signature(predict)
    except (TypeError, ValueError) as error:
        raise TargetError(f"{label} has no readable parameters: wrap it in a function that takes one.") from error


def input_parameters(predict: Predict, signature: inspect.Signature, label: str) -> list[inspect.Parameter]:
    """The parameters that take the input: the only one takes it as a whole, several and `**kwargs` take its fields.

    What a partial has bound is no input. Raises `TargetError` when there is none.
    """
    bound = cast("functools.partial[object]", predict).keywords if isinstance(predict, functools.partial) else {}
    parameters = [p for p in signature.parameters.values() if p.name not in bound]
    named = [p for p in parameters if p.kind not in _VARIADIC]
    found = named or sorted(parameters, key=lambda p: p.kind)[:1]  # *args before **kwargs
    if not found:
        raise TargetError(f"{label} takes no input: give it a parameter.")
    return found


def resolve(annotation: object, predict: Predict, owner: type | None) -> object:
    """The hint itself, looked up where it is written as text (`from __future__ import annotations`).

    `owner` is the class that `predict` is a method of. Raises whatever the text raises.
    """
    if annotation is inspect.Parameter.empty or annotation is object:
        return Any
    holder = types.SimpleNamespace(__annotations__={"hint": annotation})
    names = cast(dict[str, object], getattr(underlying(predict), "__globals__", {}))
    local_names = dict(vars(owner)) if owner else names
    return typing.get_type_hints(holder, names, local_names, include_extras=True)["hint"]


def written(parameter: inspect.Parameter) -> str:
    """The parameter as its author wrote it, such as `size: int`."""
    hint = parameter.annotation
    if hint is parameter.empty:
        return parameter.name
    return f"{parameter.name}: {hint if isinstance(hint, str) else inspect.formatannotation(hint)}"


def is_async(predict: Predict, label: str) -> bool:
    """Whether it returns an awaitable. Raises `TargetError` for one that yields."""
    functions = (predict, type(predict).__call__)  # the latter of a callable object
    if any(inspect.isgeneratorfunction(f) or inspect.isasyncgenfunction(f) for f in functions):
        raise TargetError(f"{label} yields, but a prediction has one output: return it as a whole.")
    return any(inspect.iscoroutinefunction(function) for function in functions)


def underlying(predict: object) -> object:
    """The function below partials, callable objects, methods and decorators."""
    while isinstance(predict, functools.partial):
        predict = cast("functools.partial[object]", predict).func
    if not inspect.isroutine(predict) and not hasattr(predict, "__wrapped__"):
        predict = type(predict).__call__
    return inspect.unwrap(cast(Predict, getattr(predict, "__func__", predict)))
