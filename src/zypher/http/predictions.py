"""POST /predict, GET and DELETE /predict/{prediction_id}, GET /predictions/{prediction_id}."""

import re

from zypher.disconnect import ClientDisconnected
from zypher.errors import EngineUnavailable, PredictionNotFound
from zypher.gateway.admission import Demand
from zypher.gateway.gateway import Gateway, Submitted
from zypher.http.body import Bodies
from zypher.http.errors import response_without_output
from zypher.http.preferences import Preferences, applied, longest_wait_s, read_preferences, read_wait_s
from zypher.http.request import Request
from zypher.http.response import NO_STORE, Header, Response
from zypher.prediction import Prediction
from zypher.record import record_of
from zypher.settings import HttpSettings

_ID = re.compile("[0-9a-vA-V]{26}(?:[0-9a-vA-V]{2})?")  # those that earlier versions gave are shorter
_FORGOTTEN = "The service has lost this prediction before it ended; send it again."
_PENDING = b'{"error": "Prediction is still being processed."}'
_ACCEPTED = b'{"message": "Request received. Processing asynchronously.", "prediction_id": "%b"}'
_CANCELLED = b'{"prediction_id": "%b", "status": "cancelled"}'
_CANCELLING = b'{"prediction_id": "%b", "status": "cancelling"}'
_STORED = b'{"prediction_id": "%b", "output": %b}'


class Predictions:
    """The two routes that the service is there for, and that of records."""

    def __init__(self, gateway: Gateway, settings: HttpSettings) -> None:
        self._gateway = gateway
        self._bodies = Bodies(settings)
        self._cap_s = settings.sync_timeout_s or None

    async def post(self, request: Request) -> Response:
        """Accept a prediction; answer with its outcome, or with a 202 when it is not to be waited for."""
        preferences = read_preferences(request.headers)
        body = await self._bodies.read(request)
        wait_s = longest_wait_s(preferences, self._cap_s)
        submitted = await self._gateway.submit(
            body, _demand(preferences, wait_s), preferences.idempotency_key, preferences.terms
        )
        del body
        request.release()
        prediction = submitted.prediction
        if wait_s == 0:
            return self._accepted(request, prediction, preferences)
        # Without a limit the wait could last until another worker is started.
        if prediction.durable and preferences.wait_s is None and self._gateway.waits_for_worker(prediction):
            return self._accepted(request, prediction, preferences)
        prediction = await self._wait(request, submitted, wait_s, preferences)
        if prediction.outcome is None:
            return self._accepted(request, prediction, preferences, wait_s)
        await self._gateway.mark_read(prediction)
        headers = (*_prediction_headers(prediction), *applied(preferences, wait_s, accepted=False))
        if prediction.outcome.output is None:
            return response_without_output(prediction, *headers)
        return Response(200, prediction.outcome.output, headers)

    async def get(self, request: Request) -> Response:
        """Return the state of a prediction, after `?wait=N` seconds at most."""
        prediction = await self._find(request)
        headers = _prediction_headers(prediction)
        if prediction.outcome is None:
            return Response(400, _PENDING, (*headers, *self._retry_headers(prediction)))
        if prediction.outcome.output is None:
            return response_without_output(prediction, *headers)
        return Response(200, _STORED % (prediction.prediction_id.encode(), prediction.outcome.output), headers)

    async def record(self, request: Request) -> Response:
        """Return the record of a prediction, after `?wait=N` seconds at most."""
        prediction = await self._find(request)
        body = record_of(prediction, await self._gateway.progress(prediction))
        retry = self._retry_headers(prediction) if prediction.outcome is None else ()
        return Response(200, body, (*_prediction_headers(prediction), *retry))

    async def _find(self, request: Request) -> Prediction:
        """The prediction that the path names, once it ended or `?wait=N` seconds are over; its result counts as read.

        Raises `PredictionNotFound`.
        """
        wait_s = read_wait_s(request.query)
        request.budget.check()
        prediction = await request.disconnect.interrupts(self._gateway.get(_id(request), wait_s))
        if request.method != "HEAD":
            await self._gateway.mark_read(prediction)
        return prediction

    async def cancel(self, request: Request) -> Response:
        """End a prediction that waits, or have one that runs stopped."""
        prediction_id = _id(request)
        has_ended = await self._gateway.cancel(prediction_id)
        name = prediction_id.encode()
        headers = ((b"prediction-id", name), NO_STORE)
        return Response(200, _CANCELLED % name, headers) if has_ended else Response(202, _CANCELLING % name, headers)

    async def _wait(
        self, request: Request, submitted: Submitted, wait_s: float | None, preferences: Preferences
    ) -> Prediction:
        """The prediction once it has ended, or once it is sure to survive though its caller waits no longer."""
        prediction = submitted.prediction
        try:
            prediction = await request.disconnect.interrupts(self._gateway.get(prediction.prediction_id, wait_s))
            if prediction.outcome is not None or prediction.durable:
                return prediction
            try:
                return await self._gateway.keep(submitted.message)
            except EngineUnavailable:
                if preferences.wait_s is not None:
                    raise
                # Only our own cap would turn it into a 202: better a late output than none.
                return await request.disconnect.interrupts(self._gateway.get(prediction.prediction_id, None))
        except (ClientDisconnected, EngineUnavailable):
            await self._gateway.abandon(prediction)
            raise
        except PredictionNotFound:  # its id was never given to anybody, so the request cannot be the one at fault
            raise EngineUnavailable(_FORGOTTEN, public=_FORGOTTEN) from None

    def _accepted(
        self, request: Request, prediction: Prediction, preferences: Preferences, wait_s: float | None = 0
    ) -> Response:
        prediction_id = prediction.prediction_id.encode()
        headers = (
            *_prediction_headers(prediction),
            # Relative to the request's own path: it also holds behind a proxy's prefix.
            (b"location", prediction_id if request.path.endswith("/") else b"predict/" + prediction_id),
            *self._retry_headers(prediction),
            *applied(preferences, wait_s, accepted=True),
        )
        return Response(202, _ACCEPTED % prediction_id, headers)

    def _retry_headers(self, prediction: Prediction) -> tuple[Header, ...]:
        """When to ask again, and the place in the queue, 0 for one that runs."""
        return (
            (b"retry-after", b"%d" % self._gateway.retry_after_s(prediction)),
            (b"queue-position", b"%d" % prediction.position),
        )


def _id(request: Request) -> str:
    """The id in the path. Raises `PredictionNotFound` for what can be none."""
    prediction_id = request.path.removesuffix("/").removesuffix("/cancel").rpartition("/")[2]
    if not _ID.fullmatch(prediction_id):
        raise PredictionNotFound
    return prediction_id.lower()


def _demand(preferences: Preferences, wait_s: float | None) -> Demand:
    if preferences.respond_async or wait_s == 0:
        return Demand.DURABLE
    return Demand.OUTPUT if preferences.wait_s is None else Demand.OUTPUT_IN_TIME


def _prediction_headers(prediction: Prediction) -> tuple[Header, ...]:
    return ((b"prediction-id", prediction.prediction_id.encode()), NO_STORE)
