"""What a model can ask about the prediction that it runs.

It goes with the thread or task in which the model was called; a thread that the model starts has it when it runs in a
copy of the context (`contextvars.copy_context`). Outside a prediction the answers are those of none.
"""

from contextvars import ContextVar

import msgspec

from zypher.prediction import StopReason


class Context(msgspec.Struct, eq=False):
    """A running attempt, or several in a batch, as their model sees them."""

    prediction_id: str | None  # None of several that run together
    attempt: int  # of this prediction, from 1; 0 of several
    stopped: StopReason | None = None  # set once it is to end before its time


current: ContextVar[Context | None] = ContextVar("current", default=None)


def cancelled() -> bool:
    """Whether this prediction is to end: it was cancelled, is over its time, or another worker has it.

    In a batch, whether all of its predictions are.
    A model that takes long may look now and then, and return: what it returns then still counts.
    """
    context = current.get()
    return context is not None and context.stopped is not None


def prediction_id() -> str | None:
    """The id of this prediction; None outside one, and in a batch of several."""
    context = current.get()
    return None if context is None else context.prediction_id


def attempt() -> int:
    """Which attempt of this prediction this is, from 1; 0 outside one, and in a batch of several."""
    context = current.get()
    return 0 if context is None else context.attempt
