"""An ASGI application, and uvicorn to serve it.

app.py                 one table of routes; finds the endpoint of a request and sends its answer
routes.py              the table
request.py, answer.py  what comes in, what goes out
predictions.py         POST /predict and GET /predict/{prediction_id}
preferences.py         how a client wants to be answered
body.py, budget.py     the body of a POST, within limits of size, time and memory
health.py, openapi.py, swagger.py  the pages beside them
operators.py           what an operator asks, on a socket of its own
problems.py            errors as answers
hangup.py              how a handler that waits is interrupted

server.py              configures uvicorn and runs it
connection.py          one connection: uvicorn's protocol and what it lacks
refusals.py            what a connection that is not served is told
sweep.py, unread.py    what all connections share: deadlines, and answers that are not read
heap.py                memory that was freed goes back to the system
"""
