"""Asks the replicas for signs of life."""

import logging

from zypher.worker.replica import Replica
from zypher.worker.replicas import Replicas

logger = logging.getLogger(__name__)

PER_SILENCE = 6  # pings within the silence that is borne


class Heartbeat:
    """A replica that does not answer, or could run nothing, gets no more attempts until it answers well.

    One in which nothing has begun is ended: what was sent to it runs elsewhere, and another one takes its place.
    """

    def __init__(self, replicas: Replicas, silence_s: float) -> None:
        self._replicas = replicas
        self._silence_s = silence_s

    async def step(self) -> None:
        """Look at each replica once, and ping it."""
        for replica in list(self._replicas.loaded):
            trouble = replica.trouble(self._silence_s)
            if trouble is not None:
                self._set_aside(replica, trouble)
            elif replica in self._replicas.stuck:
                self._replicas.take_back(replica)
                logger.info("a replica answers again", extra={"replica": replica.number})
            replica.ping()

    def _set_aside(self, replica: Replica, trouble: str) -> None:
        predictions = ", ".join(attempt.delivery.message.prediction_id for attempt in replica.begun())
        running = f"; it runs {predictions}" if predictions else ""
        if replica not in self._replicas.stuck:
            about = {"replica": replica.number, "pid": replica.pid, "predictions": predictions}
            logger.warning("a replica is stuck", extra={**about, "problem": trouble})
        self._replicas.set_aside(replica, f"Replica {replica.number} {trouble}{running}.")
        if not predictions:
            replica.close()
