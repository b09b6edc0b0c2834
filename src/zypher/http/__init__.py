"""HTTP/1.1 and nothing else: requests become calls of the gateway, what these return becomes answers.

app.py         the table of routes; routes.py finds an endpoint in it
predict.py     POST /predict and GET /predict/{prediction_id}; preferences.py and body.py read what these are sent
health.py      for probes and Prometheus
openapi.py     the contract as a document; openapi_components.py is the same for every model; swagger.py shows it
problems.py    an error or a failure -> its answer
server.py      listen, sweep, drain
connection.py  bytes -> request.py -> answer.py -> response.py; target.py, upgrade.py, refusals.py serve it
hangup.py      how one that waits learns that its client has gone
"""
