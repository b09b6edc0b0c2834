"""What may be asked of the service, free of transport.

gateway.py    submit, keep, get, abandon, readiness
snapshot.py   a cached look at the model, its queue and its workers
received_body.py  the body of a request for a prediction as it is received; envelope.py finds the input in it,
              large_bodies.py has it checked by check_process.py
admission.py  whether a prediction may be accepted now, else when to ask again
"""
