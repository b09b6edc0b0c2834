"""Ends what a model runs in a thread, by an exception that is never raised after the attempt's end.

In the main thread it comes by a signal, so it also ends a wait in the system, such as `time.sleep`. In another thread
it comes between two bytecodes (`PyThreadState_SetAsyncExc`, Python/C API, "Thread State and the GIL"): a call into C
ends first.
"""

import signal
from _thread import get_ident
from contextlib import suppress
from ctypes import c_ulong, py_object, pythonapi
from signal import pthread_kill
from threading import main_thread
from time import sleep

from zypher.errors import PredictionStopped
from zypher.replica.forks import handle_signals

_SIGNAL = getattr(signal, "SIGRTMIN", signal.SIGUSR2)
_LOOK_S = 0.0002
_set_async_exception = pythonapi.PyThreadState_SetAsyncExc
_in_main_thread: list["Interruption"] = []  # for which the signal is on its way


class Interruption:
    """Of one attempt. Made and ended by the thread that runs it; `interrupt` is another thread's.

    The two race for the right to say how the attempt ends, and exactly one of them gets it.
    """

    def __init__(self) -> None:
        self.thread = get_ident()
        self._mine = object()
        self._claims: list[object] = []  # the first one has the right; added in a step that the GIL does not divide
        self._ended = False
        self._sent = False

    def interrupt(self) -> bool:
        """Raise `PredictionStopped` in the attempt, once; False when it has ended or was interrupted before."""
        if not self._claim(object()):
            return False
        try:
            _send(self)
        finally:
            self._sent = True
        return True

    def end(self) -> bool:
        """The attempt has ended: from now on nothing is raised in its thread. Whether it was interrupted before.

        May be called again, as by who caught the exception in this very call.
        """
        while not self._ended:
            with suppress(PredictionStopped):  # it comes once: the next turn is not divided
                self._end()
        return self._sent

    def _end(self) -> None:
        if not self._claim(self._mine):
            while not self._sent:
                sleep(_LOOK_S)  # the other thread is about to
            _withdraw(self)
        self._ended = True

    def _claim(self, claim: object) -> bool:
        self._claims.append(claim)
        return self._claims[0] is claim


def listen_in_main_thread() -> None:
    """Let attempts in the main thread be interrupted by the signal; called there, and once."""
    handle_signals({_SIGNAL: _raise})


def _raise(_number: int, _frame: object) -> None:
    if _in_main_thread:
        _in_main_thread.clear()
        raise PredictionStopped


def _by_signal(interruption: Interruption) -> bool:
    """Whether it comes by the signal; a model may have taken that for itself."""
    return interruption.thread == main_thread().ident and signal.getsignal(_SIGNAL) is _raise


def _send(interruption: Interruption) -> None:
    if _by_signal(interruption):
        _in_main_thread.append(interruption)
        pthread_kill(interruption.thread, _SIGNAL)
    else:
        _set_async_exception(c_ulong(interruption.thread), py_object(PredictionStopped))


def _withdraw(interruption: Interruption) -> None:
    if interruption in _in_main_thread:
        _in_main_thread.clear()
    _set_async_exception(c_ulong(interruption.thread), None)
