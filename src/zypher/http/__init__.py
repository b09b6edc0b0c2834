"""The service as an ASGI application.

app.py                 finds the endpoint of a request in the table of routes, sends its response, logs both
routes.py              how a table of routes is searched
request.py, response.py
predictions.py         POST /predict and GET /predict/{prediction_id}
preferences.py         Async-Mode, Prefer, Idempotency-Key and ?wait
body.py                the body of a POST, within limits of size, time and memory
health.py, openapi.py, swagger.py
operators.py           the routes of operators, on a socket of their own
errors.py              errors as responses
"""
