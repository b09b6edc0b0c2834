"""The service as an ASGI application.

app.py                 finds the endpoint of a request in the table of routes, sends its answer, records both
routes.py              how a table of routes is searched
request.py, answer.py  what comes in, what goes out
predictions.py         POST /predict and GET /predict/{prediction_id}
preferences.py         how a client wants to be answered
body.py                the body of a POST, within limits of size, time and memory
health.py, openapi.py, swagger.py  the pages beside them
operators.py           what an operator asks, on a socket of its own
problems.py            errors as answers
hangup.py              how a handler that waits is interrupted
"""
