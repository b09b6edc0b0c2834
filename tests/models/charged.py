"""Notes each run as it begins, then returns, kills its replica, or holds the GIL until it is killed."""

import ctypes
import os
import signal
import time

from gated import Turn, begin


class Charged:
    concurrency = 4

    def predict(self, input: Turn) -> str:
        begin(input)
        if input["text"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if input["text"] == "hold":
            ctypes.PyDLL(None).sleep(600)  # unlike CDLL, PyDLL keeps the GIL
        time.sleep(0.02)
        return input["text"].upper()
