"""What may be asked of the service, free of transport.

gateway.py    submit, keep, get, abandon, readiness
outlook.py    what is known of the model, the queue and the workers
envelope.py   the body of a request for a prediction; large_bodies.py has it checked by check_process.py
admission.py  whether a prediction may be accepted now
estimate.py   when to ask again
"""
