"""The table of routes, and the app that serves it."""

from zypher.gateway.gateway import Gateway
from zypher.http import swagger
from zypher.http.answer import Answer
from zypher.http.hangup import HungUp
from zypher.http.health import Observed, health_routes
from zypher.http.openapi import Document
from zypher.http.predict import Predictions
from zypher.http.problems import answer_to
from zypher.http.request import App, Request
from zypher.http.routes import Routes, Table, get
from zypher.settings import HttpSettings


def routes_of(gateway: Gateway, settings: HttpSettings) -> Routes:
    """Which endpoint answers which method on which path."""
    predictions = Predictions(gateway, settings)
    document = Document(gateway)
    return {
        "/": get(swagger.front_door),
        "/predict": {"POST": predictions.post},
        "/predict/{prediction_id}": get(predictions.get),
        **health_routes(gateway),
        "/openapi.json": get(document.get),
        "/swagger": get(swagger.page),
        "/swagger/{asset}": get(swagger.asset),
    }


def create_app(gateway: Gateway, settings: HttpSettings) -> App:
    """The service, as a function from a request to its answer. It never raises."""
    return _app(routes_of(gateway, settings))


def create_health_app(observed: Observed) -> App:
    """What a process that serves no prediction answers: its health and nothing else."""
    return _app(health_routes(observed))


def _app(routes: Routes) -> App:
    table = Table(routes)

    async def app(request: Request) -> Answer | None:
        try:
            return await table.find(request.method, request.path)(request)
        except HungUp:
            return None
        except Exception as error:  # becomes the answer, and a record in the log when nobody foresaw it
            return answer_to(error)

    return app
