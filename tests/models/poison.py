"""Runs behind a gate, or kills its replica at once."""

import os
import signal

from gated import Turn, begin, pass_gate


class Poison:
    concurrency = 8

    def predict(self, input: Turn) -> str:
        begin(input)
        if input["text"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        pass_gate(input)
        return input["text"].upper()
